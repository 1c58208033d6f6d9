package postgres

import (
	"encoding/binary"
)

// The arrays of our own tables' statements: the same binary form as appendArray's, from Go slices.

func arrayHead(elem uint32, n int) []byte {
	b := make([]byte, 0, arrayHeader+16*n)
	for _, v := range []uint32{1, 0, elem, uint32(n), 1} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func textArray(values []string) []byte {
	b := arrayHead(oidText, len(values))
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		b = append(b, v...)
	}
	return b
}

func int8Array(values []int64) []byte {
	b := arrayHead(oidInt8, len(values))
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}
