package myvalue

import (
	"encoding/hex"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// MariaDB's UUID, INET4 and INET6 as the server prints their bytes. The log holds a UUID's bytes in the order of its text, whatever the
// order in the table.
// Source: MariaDB 11.8, plugin/type_uuid/sql_type_uuid.h, plugin/type_inet/sql_type_inet.cc.

const uuidLength = 36

func isUUID(b []byte) bool {
	if len(b) != uuidLength {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isHex(c) {
				return false
			}
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// isAddress says that b is made of what the texts of addresses are made of.
func isAddress(b []byte) bool {
	for _, c := range b {
		if !isHex(c) && c != '.' && c != ':' {
			return false
		}
	}
	return len(b) > 0
}

func (r *Row) uuid(b [16]byte) change.Value {
	start := len(r.text)
	for i, part := range [...][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			r.text = append(r.text, '-')
		}
		r.text = hex.AppendEncode(r.text, part)
	}
	return r.added(change.KindUUID, start)
}

// inet adds an address of 4 or 16 bytes.
func (r *Row) inet(b []byte) change.Value {
	start := len(r.text)
	if len(b) == 4 {
		r.text = appendInet4(r.text, b)
	} else {
		r.text = appendInet6(r.text, b)
	}
	return r.added(change.KindNative, start)
}

func appendInet4(dst, b []byte) []byte {
	for i, c := range b {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	return dst
}

const words = 8 // of an INET6

// appendInet6 leaves the first of the longest runs of zeros out, even a run of one, and writes the last four bytes as an INET4 where only
// zeros, or zeros and ffff, stand before them.
func appendInet6(dst, b []byte) []byte {
	word := func(i int) uint64 { return uint64(b[2*i])<<8 | uint64(b[2*i+1]) }
	gap, length := -1, 0
	for i := 0; i < words; i++ {
		n := 0
		for i+n < words && word(i+n) == 0 {
			n++
		}
		if n > length {
			gap, length = i, n
		}
		i += n
	}
	for i := 0; i < words; i++ {
		switch {
		case i == gap:
			if i == 0 {
				dst = append(dst, ':')
			}
			dst = append(dst, ':')
			i += length - 1
		case i == 6 && gap == 0 && (length == 6 || length == 5 && word(5) == 0xffff):
			return appendInet4(dst, b[12:])
		default:
			dst = strconv.AppendUint(dst, word(i), 16)
			if i+1 < words {
				dst = append(dst, ':')
			}
		}
	}
	return dst
}
