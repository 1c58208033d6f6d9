package myvalue

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// tableFiles are the character sets of several bytes as the servers convert them, which no library does: a file each, compressed,
// with 16 bits for each sequence, 0 where there is no character. TestCharsets makes them, and holds them against the servers.
//
//	256 for one byte
//	128 x 256 for two, the first from 0x80
//	ujis and eucjpms: 128 x 128 for three, the first 0x8f, the others from 0x80
//	gb18030: 4 x 10 x 126 x 10 for four, from 81308130
//
//go:embed charsets/*.gz
var tableFiles embed.FS

const (
	pairsAt = 256
	moreAt  = pairsAt + 128*256
	shift3  = 0x8f // the first byte of three in ujis and eucjpms
)

func loadTable(name string) ([]uint16, error) {
	file, err := tableFiles.ReadFile("charsets/" + name + ".gz")
	if err != nil {
		return nil, fmt.Errorf("load character set: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("load character set %s: %w", name, err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("load character set %s: %w", name, err)
	}
	table := make([]uint16, len(raw)/2)
	for i := range table {
		table[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return table, nil
}

// appendMulti makes the conversion of a character set of several bytes. Its table is loaded at the first use.
func appendMulti(name string) func(dst, src []byte) ([]byte, bool) {
	load := sync.OnceValues(func() ([]uint16, error) { return loadTable(name) })
	return func(dst, src []byte) ([]byte, bool) {
		table, err := load()
		if err != nil { // TestCharsets loads them all
			return dst, false
		}
		for len(src) > 0 {
			if src[0] < utf8.RuneSelf {
				dst, src = append(dst, src[0]), src[1:]
				continue
			}
			r, n := character(table, src)
			if r == 0 {
				return dst, false
			}
			dst, src = utf8.AppendRune(dst, r), src[n:]
		}
		return dst, true
	}
}

// character returns the first character of src, which isn't ASCII, and its bytes; 0 if there is none.
func character(table []uint16, src []byte) (rune, int) {
	if r := table[src[0]]; r != 0 {
		return rune(r), 1
	}
	if len(src) < 2 {
		return 0, 0
	}
	if r := table[pairsAt+int(src[0]-0x80)*256+int(src[1])]; r != 0 {
		return rune(r), 2
	}
	switch {
	case len(table) == moreAt+len4:
		return four(table, src)
	case len(table) == moreAt+len3 && len(src) >= 3 && src[0] == shift3 && src[1] >= 0x80 && src[2] >= 0x80:
		return rune(table[moreAt+int(src[1]-0x80)*128+int(src[2]-0x80)]), 3
	}
	return 0, 0
}

const (
	len3 = 128 * 128
	len4 = 4 * row4 * 10
	row4 = 126 * 10

	supplementary4 = (0x90 - 0x81) * 10 * row4 // the number of 90308130, which is U+10000
)

// four returns the character of gb18030's four bytes, which are a number in digits of 10, 126 and 10.
func four(table []uint16, src []byte) (rune, int) {
	if len(src) < 4 || src[0] < 0x81 || src[1]-'0' > 9 || src[2] < 0x81 || src[2] == 0xff || src[3]-'0' > 9 {
		return 0, 0
	}
	n := (int(src[0]-0x81)*10+int(src[1]-'0'))*row4 + int(src[2]-0x81)*10 + int(src[3]-'0')
	if n < len4 {
		return rune(table[moreAt+n]), 4
	}
	if r := n - supplementary4 + 0x10000; r >= 0x10000 && r <= utf8.MaxRune {
		return rune(r), 4
	}
	return 0, 0
}
