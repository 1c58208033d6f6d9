package change

// Equality says how the source compares a column's values, and so when two keys are one.
type Equality uint8

// The equalities. A key column that is not Bytewise is folded before it is hashed to a lane (AppendLaneKey).
const (
	Bytewise        Equality = iota // equal if their text is equal
	Numeric                         // equal if the numbers are: 1.0 and 1.00, 0 and -0
	CaseInsensitive                 // equal if they differ in case only, by rules of the source's locale
	Unknown                         // some other rule: the column can't take part in the hash
)

var equalityNames = [...]string{"bytewise", "numeric", "case_insensitive", "unknown"}

// String returns the equality's name as it stands in a shape.
func (e Equality) String() string {
	if int(e) < len(equalityNames) {
		return equalityNames[e]
	}
	return "invalid"
}

// Column is everything that a sink needs to make the column, so that nobody parses Native.
type Column struct {
	Name      string
	Native    string    // the type in the source's own words, e.g. "character varying(20)"; for people, and to make the same column on the same engine
	Kind      Kind      // what its values hold besides Null and Unset
	Nullable  bool      // false: the source refuses NULL
	Generated bool      // computed by the source from other columns
	Length    int       // characters or bytes for text, bytes and bits; 0: no limit
	Precision int       // total digits of a Decimal (0: no limit); fraction digits of Time, Instant and WallTime; 4 or 8 bytes are told by Kind
	Scale     int       // fraction digits of a Decimal, if Precision is not 0
	Bits      int       // width of an Int or Uint in the source: 8, 16, 24, 32 or 64
	Charset   string    // as the source names it; values are always UTF-8 here
	Equality  Equality  // how the source compares it
	Enum      *[]string // labels in order, if the type is an enumeration; never changed after it is made
	Missing   *string   // the value, as AppendText writes it, of rows that were there before the column, as the source keeps it until they change; nil: none is known
	Reread    bool      // the source reads rows that were there before the column again: they come with its value
	ID        uint64    // which column of which table this is, whatever its name: two shapes of one Lineage have it in common only if it is the same one; 0: the source can't tell
}

// Table is one version of a table's shape. It is immutable and shared by all its changes: its pointer is the key of every plan
// cache, so one version has one pointer for as long as a reader runs.
type Table struct {
	Source  string // source id
	Engine  string // whose type names Column.Native holds: "postgres", "mysql", "mariadb"
	Schema  string // schema (Postgres) or database (MySQL)
	Name    string
	Columns []Column
	Key     []int  // ordinals of the row identity, in the key's order; empty: none, the whole row is the key
	Lineage string // from where on the source has followed what became of the columns; IDs of another Lineage say nothing of these; empty: they are the database's own
}

// String returns schema.name, for messages.
func (t *Table) String() string { return t.Schema + "." + t.Name }

// ColumnIndex returns the ordinal of the column with that name, or -1.
func (t *Table) ColumnIndex(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}
