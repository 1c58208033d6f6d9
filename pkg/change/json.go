package change

import "unicode/utf8"

// AppendJSON appends v as a JSON value: null for Null, true and false, numbers for integers and finite floats, and the text of
// AppendText as a string for everything else. The caller leaves Unset out.
func AppendJSON(dst []byte, col *Column, v Value) []byte {
	switch v.kind {
	case KindUnset, KindNull:
		return append(dst, "null"...)
	case KindBool, KindInt, KindUint:
		return AppendText(dst, col, v)
	case KindFloat32, KindFloat64:
		start := len(dst)
		dst = AppendText(dst, col, v)
		if last := dst[len(dst)-1]; last != 'N' && last != 'y' { // NaN, Infinity
			return dst
		}
		text := string(dst[start:])
		return AppendJSONString(dst[:start], text)
	case KindDecimal, KindText, KindJSON, KindUUID, KindInterval, KindBits, KindPartialDate, KindNative:
		return AppendJSONString(dst, v.ref)
	}
	dst = append(dst, '"')
	dst = AppendText(dst, col, v) // base64, dates and times need no escape
	return append(dst, '"')
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD, so a caller that must not lose them makes
// them KindBytes; text from a source is checked when it is decoded.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= 0x20 && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, b)
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
}
