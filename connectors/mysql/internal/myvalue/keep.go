package myvalue

import "slices"

// integers are the bits of integer types.
var integers = map[byte]int{Tiny: 8, Short: 16, Int24: 24, Long: 32, LongLong: 64}

// Keeps says that every value of t is stored in a column that is redefined as to with the same text: what isn't known to be so isn't. Whether either may be NULL
// is not looked at.
func (t *Type) Keeps(to *Type) bool {
	if to == nil || t.Special != to.Special || t.Generated != to.Generated || !t.Known || !to.Known {
		return false
	}
	switch from, into := integers[t.Wire], integers[to.Wire]; {
	case from > 0 && into > 0:
		return t.Unsigned == to.Unsigned && from <= into || t.Unsigned && from < into
	case t.Wire == Varchar && to.Wire == Varchar:
		return t.keepsText(to) && t.characters() <= to.characters()
	case t.Wire == Blob && to.Wire == Blob:
		return t.keepsText(to) && t.Length <= to.Length
	case t.Wire == Varchar && to.Wire == Blob:
		return t.keepsText(to) && uint64(t.Length) < 1<<(8*min(to.Length, 4))
	case t.Wire == String && to.Wire == String:
		return t.keepsText(to) && (t.characters() == to.characters() || t.characters() < to.characters() && t.Collation != binaryCollation) // which is padded
	case t.Wire != to.Wire:
		return false
	case t.Wire == Decimal:
		return t.Scale == to.Scale && t.Precision <= to.Precision && (t.Unsigned == to.Unsigned || t.Unsigned)
	case t.Wire == Enum, t.Wire == Set:
		return t.keepsText(to) && len(t.Labels) <= len(to.Labels) && slices.Equal(t.Labels, to.Labels[:len(t.Labels)])
	}
	return t.SameStored(to)
}

// keepsText says that text is the same in the character set of another type.
func (t *Type) keepsText(to *Type) bool {
	from, into := charsetName(t.Collation), charsetName(to.Collation)
	return t.Collation == to.Collation || from != "" && from == into || from == "utf8mb3" && into == "utf8mb4"
}

// SameStored says that two types store the same values in the same way, whatever the column is called and whether it may be NULL.
func (t *Type) SameStored(o *Type) bool {
	return o != nil && t.Wire == o.Wire && t.Length == o.Length && t.Bits == o.Bits && t.Precision == o.Precision && t.Scale == o.Scale &&
		t.Unsigned == o.Unsigned && t.Collation == o.Collation && t.Special == o.Special && t.Generated == o.Generated && slices.Equal(t.Labels, o.Labels)
}
