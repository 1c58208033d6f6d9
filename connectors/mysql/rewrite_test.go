package mysql

import (
	"maps"
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
)

const (
	utf8mb4 = 255
	utf8mb3 = 33
	latin1  = 8
)

func intType(wire byte) myvalue.Type { return myvalue.Type{Wire: wire, Nullable: true} }

func textType(wire byte, length, collation int) myvalue.Type {
	return myvalue.Type{Wire: wire, Length: length, Collation: collation, Nullable: true}
}

func notNull(t myvalue.Type) myvalue.Type {
	t.Nullable = false
	return t
}

func enumType(labels ...string) myvalue.Type {
	return myvalue.Type{Wire: myvalue.Enum, Length: 1, Collation: utf8mb4, Labels: labels, Nullable: true}
}

// alteredTable are the columns that the statements of TestRewrites find.
var alteredTable = map[string]myvalue.Type{
	"id":  {Wire: myvalue.Long, Auto: true},
	"n":   intType(myvalue.Long),
	"u":   {Wire: myvalue.Long, Unsigned: true, Nullable: true},
	"v":   textType(myvalue.Varchar, 80, utf8mb4),
	"w":   textType(myvalue.Varchar, 60, utf8mb3),
	"l":   textType(myvalue.Varchar, 20, latin1),
	"c":   textType(myvalue.String, 20, utf8mb4),
	"bin": textType(myvalue.String, 4, 63),
	"x":   textType(myvalue.Blob, 2, utf8mb4),
	"d":   {Wire: myvalue.Decimal, Precision: 10, Scale: 2, Nullable: true},
	"t":   {Wire: myvalue.Datetime2, Precision: 6, Nullable: true},
	"s":   {Wire: myvalue.Timestamp2, Nullable: true},
	"e":   enumType("a", "b"),
	"f":   intType(myvalue.Float),
}

func columnsOf(m map[string]myvalue.Type) described {
	c := described{keys: []uniqueKey{{name: primaryKey, columns: []string{"id"}}}}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		t := m[name]
		t.Name, t.Known = name, true
		c.types = append(c.types, t)
	}
	return c
}

// becomes is what a statement makes of the table; a type without a Wire is a column that is gone.
type becomes = map[string]myvalue.Type

type rewriteCase struct {
	sql  string
	mode status
	is   becomes
	want rewriting
}

var (
	strictMode = status{known: true, mode: modeStrictTrans}
	laxMode    = status{known: true}
	zeroMode   = status{known: true, mode: modeStrictTrans | modeAutoZero}
)

// keepingCases leave rows alone.
var keepingCases = []rewriteCase{
	{"alter table a add index (n)", strictMode, nil, keepsRows},
	{"create index i on a (n)", strictMode, nil, keepsRows},
	{"drop index i on a", laxMode, nil, keepsRows},
	{"alter table a add unique key k (n), add fulltext (v), drop key o, rename index p to q", laxMode, nil, keepsRows},
	{"alter table a add constraint f foreign key (n) references b (id), add check (n > 0), add constraint y check (n > 1)", strictMode, nil, keepsRows},
	{"alter table a add primary key (n)", strictMode, nil, keepsRows},
	{"alter table a comment = 'drop column v', auto_increment = 7, row_format = dynamic", strictMode, nil, keepsRows},
	{"alter table a engine = InnoDB, algorithm = inplace, lock = none", laxMode, nil, keepsRows},
	{"alter table a engine=myisam default charset=latin1 collate=latin1_bin partition by hash (id) partitions 4", laxMode, nil, keepsRows},
	{"alter table a data directory = '/x', force", laxMode, nil, keepsRows},
	{"alter table a rebuild partition all", laxMode, nil, keepsRows},
	{"alter table a order by n, v desc, a.u asc, `d`", laxMode, nil, keepsRows},
	{"alter table a disable keys, order by n, d", laxMode, nil, keepsRows},
	{"alter table a reorganize partition p0, p1 into (partition p values less than (20), partition q values less than maxvalue)", laxMode, nil, keepsRows},
	{"alter table a rebuild partition p0, p1", laxMode, nil, keepsRows},
	{"alter table a wait 5 analyze partition p0, p1", laxMode, nil, keepsRows},
	{"alter table a algorithm = inplace, lock = none, optimize partition p0, p1", laxMode, nil, keepsRows},
	{"alter table a check partition p0, p1 for upgrade", laxMode, nil, keepsRows},
	{"alter online table if exists a wait 5 add column z int", strictMode, nil, keepsRows},
	{"alter table a add z int, add column (y varchar(10) default null, x2 json), add `index` text comment 'not null default 5'", laxMode, nil, keepsRows},
	{"alter table a add z int first", laxMode, nil, keepsRows},
	{"alter table a add z datetime on update current_timestamp after n", laxMode, nil, keepsRows},
	{"alter table a add z timestamp null default null", strictMode, nil, keepsRows},
	{"alter table a add z timestamp(6)", strictMode, becomes{"z": {Wire: myvalue.Timestamp2, Nullable: true}}, keepsRows},
	{"alter table a add z int not null", laxMode, becomes{"z": {Wire: myvalue.Long}}, keepsRows}, // 0, which goes with the shape
	{"alter table a add column (y int, z varchar(10) default 'x' comment 'y')", strictMode, becomes{"z": textType(myvalue.Varchar, 40, utf8mb4)}, keepsRows},
	{"alter table a drop column v, drop foreign key f, drop check y, drop primary key", laxMode, becomes{"v": {}}, keepsRows},
	{"alter table a rename column v to z", laxMode, nil, keepsRows},
	{"alter table a alter column n set default 5, alter v drop default, alter index i invisible", laxMode, nil, keepsRows},
	{"alter table a modify n bigint", laxMode, becomes{"n": intType(myvalue.LongLong)}, keepsRows},
	{"alter table a modify u bigint", laxMode, becomes{"u": intType(myvalue.LongLong)}, keepsRows},
	{"alter table a modify id bigint not null auto_increment", laxMode, becomes{"id": {Wire: myvalue.LongLong, Auto: true}}, keepsRows},
	{"alter table a modify n int not null", strictMode, becomes{"n": notNull(intType(myvalue.Long))}, keepsRows},
	{"alter table a modify n int comment 'y' after id", laxMode, becomes{}, keepsRows},
	{"alter table a change v z varchar(200) character set utf8mb4", laxMode, becomes{"v": {}, "z": textType(myvalue.Varchar, 800, utf8mb4)}, keepsRows},
	{"alter table a modify v text", laxMode, becomes{"v": textType(myvalue.Blob, 2, utf8mb4)}, keepsRows},
	{"alter table a modify x longtext", laxMode, becomes{"x": textType(myvalue.Blob, 4, utf8mb4)}, keepsRows},
	{"alter table a modify c char(9)", laxMode, becomes{"c": textType(myvalue.String, 36, utf8mb4)}, keepsRows},
	{"alter table a modify d decimal(12,2)", laxMode, becomes{"d": {Wire: myvalue.Decimal, Precision: 12, Scale: 2, Nullable: true}}, keepsRows},
	{"alter table a modify e enum('a','b','c')", laxMode, becomes{"e": enumType("a", "b", "c")}, keepsRows},
	{"alter table a modify w varchar(20) character set utf8mb4", laxMode, becomes{"w": textType(myvalue.Varchar, 80, utf8mb4)}, keepsRows},
	{"alter table a modify n int auto_increment", zeroMode, becomes{"n": {Wire: myvalue.Long, Auto: true, Nullable: true}}, keepsRows},
}

// changingCases may change values or keys.
var changingCases = []rewriteCase{
	{"alter table a modify n int not null", laxMode, becomes{"n": notNull(intType(myvalue.Long))}, givesValues},
	{"alter table a modify n int not null", status{}, becomes{"n": notNull(intType(myvalue.Long))}, givesValues},
	{"alter table a modify s timestamp not null", strictMode, becomes{"s": {Wire: myvalue.Timestamp2}}, givesValues},
	{"alter table a modify n smallint", strictMode, becomes{"n": intType(myvalue.Short)}, givesValues},
	{"alter table a modify n int unsigned", laxMode, becomes{"n": {Wire: myvalue.Long, Unsigned: true, Nullable: true}}, givesValues},
	{"alter table a modify u int", laxMode, becomes{"u": intType(myvalue.Long)}, givesValues},
	{"alter table a modify n varchar(20)", strictMode, becomes{"n": textType(myvalue.Varchar, 80, utf8mb4)}, givesValues},
	{"alter table a modify v int", strictMode, becomes{"v": intType(myvalue.Long)}, givesValues},
	{"alter table a modify v varchar(10)", strictMode, becomes{"v": textType(myvalue.Varchar, 40, utf8mb4)}, givesValues},
	{"alter table a modify v char(20)", strictMode, becomes{"v": textType(myvalue.String, 80, utf8mb4)}, givesValues},
	{"alter table a modify w varchar(15) character set utf8mb4", laxMode, becomes{"w": textType(myvalue.Varchar, 60, utf8mb4)}, givesValues},
	{"alter table a modify l varchar(20) character set utf8mb4", strictMode, becomes{"l": textType(myvalue.Varchar, 80, utf8mb4)}, givesValues},
	{"alter table a modify x tinytext", strictMode, becomes{"x": textType(myvalue.Blob, 1, utf8mb4)}, givesValues},
	{"alter table a modify bin binary(8)", strictMode, becomes{"bin": textType(myvalue.String, 8, 63)}, givesValues},
	{"alter table a modify d decimal(10,1)", strictMode, becomes{"d": {Wire: myvalue.Decimal, Precision: 10, Scale: 1, Nullable: true}}, givesValues},
	{"alter table a modify t datetime", strictMode, becomes{"t": {Wire: myvalue.Datetime2, Nullable: true}}, givesValues},
	{"alter table a modify s datetime", strictMode, becomes{"s": {Wire: myvalue.Datetime2, Nullable: true}}, givesValues},
	{"alter table a modify f double", strictMode, becomes{"f": intType(myvalue.Double)}, givesValues},
	{"alter table a modify e enum('b','a')", strictMode, becomes{"e": enumType("b", "a")}, givesValues},
	{"alter table a modify n int as (id + 1) stored", strictMode, becomes{"n": {Wire: myvalue.Long, Generated: true, Nullable: true}}, givesValues},
	{"alter table a modify v varchar(30)", strictMode, becomes{"v": textType(myvalue.Varchar, 120, utf8mb4), "g": {Wire: myvalue.Long, Generated: true}}, givesValues}, // what g makes of it
	{"alter table a convert to character set latin1", laxMode, becomes{"v": textType(myvalue.Varchar, 20, latin1)}, givesValues},
	{"alter table a convert to character set utf8mb4", strictMode, becomes{"w": textType(myvalue.Varchar, 80, utf8mb4), "l": {}}, givesValues},
	{"alter table a add z int not null", laxMode, nil, givesValues}, // what it is isn't known
	{"alter table a add column (y int, z bit(3) default b'1')", strictMode, becomes{"z": {Wire: myvalue.Bit, Bits: 3}}, givesValues},
	{"alter table a add z datetime default current_timestamp", strictMode, becomes{"z": {Wire: myvalue.Datetime2}}, givesValues},
	{"alter table a add z char(36) default (uuid())", strictMode, nil, givesValues},
	{"alter table a add z int as (n + 1) virtual", strictMode, becomes{"z": {Wire: myvalue.Long, Generated: true}}, givesValues},
	{"alter table a add z timestamp", strictMode, becomes{"z": {Wire: myvalue.Timestamp2}}, givesValues},
	{"alter table a drop column n, add column n int", strictMode, nil, givesValues},
	{"alter table a drop n, add n int default 5", strictMode, becomes{}, givesValues},
	{"alter table a change n u int unsigned, change u n int", strictMode, becomes{}, givesValues},
	{"alter table a rename column n to u, rename column u to n", strictMode, nil, givesValues},
	{"alter table a modify id varchar(20)", strictMode, becomes{"id": notNull(textType(myvalue.Varchar, 80, utf8mb4))}, givesKeys},
	{"alter table a modify n int not null auto_increment, add key (n)", strictMode, becomes{"n": {Wire: myvalue.Long, Auto: true}}, givesKeys},
	{"alter table a add z int auto_increment, add unique (z)", strictMode, nil, givesKeys},
	{"alter table a add z serial", strictMode, nil, givesKeys},
	{"alter table a add z int primary key", strictMode, nil, givesKeys},
	{"alter table a add primary key (n)", laxMode, nil, givesKeys},
	{"alter table a engine = blackhole", strictMode, nil, givesKeys},
	{"alter table a repair partition p0", strictMode, nil, givesKeys},
	{"alter table a truncate partition p0, p1", strictMode, nil, givesKeys},
	{"alter table a drop system versioning", strictMode, nil, givesKeys},
	{"alter table a what is this", strictMode, nil, givesKeys},
	{"alter table a modify n int, what is this", strictMode, becomes{}, givesKeys},
	{"alter table a add", strictMode, nil, givesKeys},
}

// TestRewrites: a statement is one that changes stored values unless its words and the columns before and behind it show that it doesn't.
func TestRewrites(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(keepingCases, changingCases) {
		after := maps.Clone(alteredTable)
		for name, column := range c.is {
			if after[name] = column; column.Wire == 0 {
				delete(after, name)
			}
		}
		a := readAlteration(query{sql: c.sql, status: c.mode}, MySQL)
		is := described{}
		if a.asks() && c.is != nil {
			is = columnsOf(after)
		}
		a.carry(is)
		if got := a.rewrites(c.mode, columnsOf(alteredTable), is); got != c.want {
			t.Errorf("%s, mode %x: %d, want %d", c.sql, c.mode.mode, got, c.want)
		}
	}
}

// TestRewritesNotKnown: without what the columns were or are, only what needs neither is taken for harmless.
func TestRewritesNotKnown(t *testing.T) {
	t.Parallel()
	is := columnsOf(alteredTable)
	for _, c := range []struct {
		sql           string
		before, after described
		want          rewriting
	}{
		{"alter table a add z int", described{}, described{}, keepsRows},
		{"alter table a modify n int", described{}, described{}, givesKeys},
		{"alter table a modify n int", described{}, is, givesValues},
		{"alter table a modify n int", is, described{}, givesValues},
		{"alter table a modify id int", is, described{}, givesKeys},
		{"alter table a modify n int", is, is, keepsRows},
		{"alter table a convert to character set utf8mb4", described{}, is, givesValues},
		{"alter table a convert to character set utf8mb4", is, is, keepsRows},
		{"alter table a drop primary key, modify n varchar(20)", described{}, is, givesKeys},
		{"alter table a comment 'unclosed", is, is, givesKeys},
	} {
		a := readAlteration(query{sql: c.sql}, MySQL)
		if got := a.rewrites(status{known: true, mode: modeStrictAll}, c.before, c.after); got != c.want {
			t.Errorf("%s: %d, want %d", c.sql, got, c.want)
		}
	}
	if a := readAlteration(query{sql: "alter table a add z int as (n + 1) stored"}, MariaDB); a.rewrites(status{}, is, is) != keepsRows {
		t.Error("MariaDB's log lacks generated columns, so a new one changes nothing")
	}
}

// TestConstants: a value that the server writes otherwise than the statement is read instead.
func TestConstants(t *testing.T) {
	t.Parallel()
	text, char := textType(myvalue.Varchar, 20, utf8mb4), textType(myvalue.String, 20, utf8mb4)
	decimal := myvalue.Type{Wire: myvalue.Decimal, Precision: 5, Scale: 2}
	for _, c := range []struct {
		definition string
		typ        myvalue.Type
		want       string // "-": none
	}{
		{"int default 5", intType(myvalue.Long), "5"},
		{"int default -007 comment 'x'", intType(myvalue.Long), "-7"},
		{"int not null default '12'", intType(myvalue.Long), "12"},
		{"tinyint default 128", intType(myvalue.Tiny), "-"},
		{"int unsigned default -1", myvalue.Type{Wire: myvalue.Long, Unsigned: true}, "-"},
		{"int default 1.5", intType(myvalue.Long), "-"},
		{"int default 1e2", intType(myvalue.Long), "-"},
		{"int default 0x41", intType(myvalue.Long), "-"},
		{"int default (1 + 1)", intType(myvalue.Long), "-"},
		{"int default 1 + 1", intType(myvalue.Long), "-"},
		{"int not null", intType(myvalue.Long), "0"},
		{"bool default true", intType(myvalue.Tiny), "1"},
		{"decimal(5,2) default 1.5", decimal, "1.50"},
		{"decimal(5,2) default -0.00", decimal, "0.00"},
		{"decimal(5,2) default 1.555", decimal, "-"},
		{"decimal(5,2) default 1000", decimal, "-"},
		{"decimal(5,2) not null", decimal, "0.00"},
		{"varchar(5) default 'it''s'", text, "it's"},
		{"varchar(5) default 'toolong'", text, "-"},
		{"varchar(5) default 5", text, "-"},
		{"varchar(5) default 'a' 'b'", text, "-"},
		{"varchar(5) default _latin1 'a'", text, "-"},
		{"varchar(5) default 'é'", text, "-"},
		{"varchar(5) not null", text, ""},
		{"char(5) default 'a'", char, "a"},
		{"char(5) default 'a '", char, "-"},
		{"varbinary(5) default 'a'", textType(myvalue.Varchar, 5, 63), "-"},
		{"enum('a','b') default 'b'", enumType("a", "b"), "b"},
		{"enum('a','b') not null", enumType("a", "b"), "-"},
		{"date default '2020-02-29'", myvalue.Type{Wire: myvalue.Date}, "2020-02-29"},
		{"date default '2021-02-29'", myvalue.Type{Wire: myvalue.Date}, "-"},
		{"date default '20200229'", myvalue.Type{Wire: myvalue.Date}, "-"},
		{"datetime(3) default '2020-02-03 04:05:06'", myvalue.Type{Wire: myvalue.Datetime2, Precision: 3}, "2020-02-03T04:05:06.000"},
		{"datetime default current_timestamp", myvalue.Type{Wire: myvalue.Datetime2}, "-"},
		{"timestamp default '2020-02-03 04:05:06'", myvalue.Type{Wire: myvalue.Timestamp2}, "-"},
		{"json default ('{}')", myvalue.Type{Wire: myvalue.JSON, Length: 4}, "-"},
		{`varchar(5) default '\n'`, text, "-"},
	} {
		typ := c.typ
		typ.Name, typ.Known, typ.Flavor = "z", true, MySQL
		a := readAlteration(query{sql: "alter table a add z " + c.definition}, MySQL)
		a.carry(described{types: []myvalue.Type{typ}})
		got := "-"
		if missing := a.altered[0].missing; missing != nil {
			got = *missing
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.definition, got, c.want)
		}
	}
}
