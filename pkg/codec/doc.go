// Package codec turns changes into bytes and back: wire format v1, which README.md beside this file specifies. An Encoder makes
// Kafka records out of changes, in one of five Formats, a Decoder changes out of records, which say their format; AppendChange and ParseChange are the self-contained form of one
// change for places where no schema topic is at hand. It imports pkg/change and the standard library only.
//
// Its invariant: what goes in comes out equal, or an error names table and column. Nothing is rounded, cut, folded or filled in
// on the way, in either direction, and Unset is never NULL (invariant 7).
//
//	enc := codec.NewEncoder(codec.Options{Unset: codec.UnsetOmit})
//	key, err := enc.AppendKey(key[:0], &c)
//	value, err := enc.AppendValue(value[:0], &c) // a marker's value is null
//	list, err := enc.Headers(&headers, &c)
//
//	dec := codec.NewDecoder("shop", lookup)
//	c, ok, err := dec.Decode(codec.Record{Key: key, Value: value, Headers: list})
package codec
