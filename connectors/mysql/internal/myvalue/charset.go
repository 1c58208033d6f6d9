package myvalue

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// charset is a character set of the servers.
type charset struct {
	name   string
	most   int                                          // bytes of its widest character
	append func(dst, src []byte) (text []byte, ok bool) // appends src in UTF-8; ok is false where the server would lose a character
}

const (
	binaryCollation = 63
	// From nopadIDs on MariaDB's collations are those below, without padding; from contextualIDs on each character set of
	// contextual has contextualSpan of its UCA 14.0.0 collations.
	nopadIDs       = 1024
	contextualIDs  = 2048
	contextualSpan = 256
)

var contextual = [...]string{"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"}

var (
	charsets       = makeCharsets()
	charsetsByID   = makeCharsetsByID()
	contextualSets = makeContextualSets()
)

// charsetOf returns the character set of a collation, or nil if it is unknown or binary.
func charsetOf(collation int) *charset {
	switch {
	case collation < 0:
		return nil
	case collation < nopadIDs:
		return charsetsByID[collation]
	case collation < contextualIDs:
		return charsetsByID[collation-nopadIDs]
	case (collation-contextualIDs)/contextualSpan < len(contextual):
		return contextualSets[(collation-contextualIDs)/contextualSpan]
	}
	return nil
}

func charsetName(collation int) string {
	if set := charsetOf(collation); set != nil {
		return set.name
	}
	return ""
}

// comparison is how a collation tells two texts of one length apart.
type comparison uint8

const (
	bySomeRule  comparison = iota // by weights that several characters may share
	byBytes                       // equal if their bytes are
	byASCIICase                   // equal if they differ in ASCII case only
)

type rule struct {
	compares comparison
	padded   bool // blanks at the end don't count
}

const (
	asciiGeneral   = 11
	utf8mb40900Bin = 309
)

// binaryIDs are the collations below 1024 that compare bytes: those named _bin.
var binaryIDs = [...]int{43, 46, 47, 50, 53, 55, 58, 61, 62, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 77, 78, 79, 80, 81, 82, 83, 84, 85,
	86, 87, 88, 89, 90, 91, 93, 96, 98, 249}

func ruleOf(collation int) rule {
	if collation == utf8mb40900Bin || collation == binaryCollation {
		return rule{compares: byBytes}
	}
	r := rule{padded: collation < nopadIDs}
	base := collation % nopadIDs
	if collation >= contextualIDs {
		return rule{}
	}
	if base == asciiGeneral {
		r.compares = byASCIICase
	}
	for _, id := range binaryIDs {
		if id == base {
			r.compares = byBytes
		}
	}
	return r
}

func makeCharsetsByID() (all [nopadIDs]*charset) {
	for _, r := range collationRanges {
		for id := r.first; id <= r.last; id++ {
			all[id] = charsets[r.charset]
		}
	}
	return all
}

func makeContextualSets() (all [len(contextual)]*charset) {
	for i, name := range contextual {
		all[i] = charsets[name]
	}
	return all
}

// widest are the bytes of the widest character, where it has more than one.
var widest = map[string]int{"utf8mb3": 3, "utf8mb4": 4, "ucs2": 2, "utf16": 4, "utf16le": 4, "utf32": 4, "gb18030": 4, "gbk": 2, "gb2312": 2,
	"big5": 2, "sjis": 2, "cp932": 2, "euckr": 2, "ujis": 3, "eucjpms": 3}

func makeCharsets() map[string]*charset {
	converters := map[string]func(dst, src []byte) ([]byte, bool){
		"ascii": appendASCII, "utf8mb3": appendUTF8, "utf8mb4": appendUTF8,
		"ucs2": appendUTF16(binary.BigEndian.Uint16, false), "utf16": appendUTF16(binary.BigEndian.Uint16, true),
		"utf16le": appendUTF16(binary.LittleEndian.Uint16, true), "utf32": appendUTF32,
	}
	for name, characters := range singleByte {
		converters[name] = appendSingle(characters)
	}
	for name := range widest {
		if converters[name] == nil {
			converters[name] = appendMulti(name)
		}
	}
	all := map[string]*charset{}
	for name, convert := range converters {
		all[name] = &charset{name: name, most: max(1, widest[name]), append: convert}
	}
	return all
}

// appendUTF8 is for utf8mb3 and utf8mb4.
func appendUTF8(dst, src []byte) ([]byte, bool) { return append(dst, src...), utf8.Valid(src) }

func appendASCII(dst, src []byte) ([]byte, bool) {
	for _, c := range src {
		if c >= utf8.RuneSelf {
			return dst, false
		}
	}
	return append(dst, src...), true
}

// undefined stands in a table for a byte without a character.
const undefined = utf8.RuneError

// appendSingle makes the conversion of a character set of one byte, from an entry of singleByte.
func appendSingle(characters string) func(dst, src []byte) ([]byte, bool) {
	var table [256]rune
	i := 256 - utf8.RuneCountInString(characters)
	for low := range i {
		table[low] = rune(low)
	}
	for _, r := range characters {
		table[i] = r
		i++
	}
	return func(dst, src []byte) ([]byte, bool) {
		for _, c := range src {
			r := table[c]
			if r == undefined {
				return dst, false
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst, true
	}
}

// appendUTF16 makes the conversion of utf16, utf16le and, without surrogates, ucs2.
func appendUTF16(unit func([]byte) uint16, surrogates bool) func(dst, src []byte) ([]byte, bool) {
	return func(dst, src []byte) ([]byte, bool) {
		if len(src)%2 != 0 {
			return dst, false
		}
		for ; len(src) > 0; src = src[2:] {
			r := rune(unit(src))
			if utf16.IsSurrogate(r) {
				if !surrogates || len(src) < 4 {
					return dst, false
				}
				if r = utf16.DecodeRune(r, rune(unit(src[2:]))); r == undefined {
					return dst, false
				}
				src = src[2:]
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst, true
	}
}

func appendUTF32(dst, src []byte) ([]byte, bool) {
	if len(src)%4 != 0 {
		return dst, false
	}
	for ; len(src) > 0; src = src[4:] {
		n := bigEndian(src[:4])
		if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return dst, false
		}
		dst = utf8.AppendRune(dst, rune(n))
	}
	return dst, true
}
