package typetable

import "github.com/tailwater-cdc/tailwater/pkg/change"

// shown are native values that are shown and sent as they are written.
func shown(name string, texts ...string) Type { return native(name, strs(texts...)...) }

func postgresNatives() []Type {
	return []Type{
		exact("inet", strs("10.0.0.1/8", "10.0.0.1", "2001:db8::1/64", "::ffff:1.2.3.4")...),
		exact("cidr", val("'10.0.0.0/8'", "10.0.0.0/8", `"10.0.0.0/8"`), val("'2001:db8::/32'", "2001:db8::/32", `"2001:db8::/32"`)),
		exact("macaddr", val("'08-00-2b-01-02-03'", "08:00:2b:01:02:03", `"08:00:2b:01:02:03"`)),
		exact("macaddr8", val("'08-00-2b-01-02-03-04-05'", "08:00:2b:01:02:03:04:05", `"08:00:2b:01:02:03:04:05"`)),
		shown("point", "(1.5,-2)", "(0.1,1e+300)", "(Infinity,NaN)"),
		shown("line", "{1,2,3}"),
		shown("lseg", "[(0,0),(1,1)]"),
		native("box", val("'(0,0),(1,1)'", "(1,1),(0,0)", `"(1,1),(0,0)"`)),
		shown("path", "[(0,0),(1,1)]", "((0,0),(1,1),(2,0))"),
		shown("polygon", "((0,0),(1,1),(2,0))"),
		shown("circle", "<(1,2),3>"),
		native("int4range", val("'[1,5]'", "[1,6)", `"[1,6)"`), val("'empty'", "empty", `"empty"`), val("'(,)'", "(,)", `"(,)"`)),
		shown("int8range", "[-9223372036854775808,9223372036854775807)"),
		shown("numrange", "(1.50,2.0]"),
		native("daterange", val("'[2024-01-01,2024-12-31]'", "[2024-01-01,2025-01-01)", `"[2024-01-01,2025-01-01)"`)),
		native("tsrange", val("'[2024-01-01 00:00,infinity]'", `["2024-01-01 00:00:00",infinity]`, `"[\"2024-01-01 00:00:00\",infinity]"`)),
		native("tstzrange", val("'[2024-01-01 00:00+02,)'", `["2023-12-31 22:00:00+00",)`, `"[\"2023-12-31 22:00:00+00\",)"`)),
		native("int4multirange", val("'{[1,2],[5,9)}'", "{[1,3),[5,9)}", `"{[1,3),[5,9)}"`), val("'{}'", "{}", `"{}"`)),
		shown("int8multirange", "{[1,3)}"),
		shown("nummultirange", "{[1.5,2.5),(3,)}"),
		native("datemultirange", val("'{[2024-01-01,2024-01-02]}'", "{[2024-01-01,2024-01-03)}", `"{[2024-01-01,2024-01-03)}"`)),
		native("tsmultirange", val("'{[2024-01-01 00:00,2024-01-02 00:00)}'", `{["2024-01-01 00:00:00","2024-01-02 00:00:00")}`, `"{[\"2024-01-01 00:00:00\",\"2024-01-02 00:00:00\")}"`)),
		native("tstzmultirange", val("'{[2024-01-01 00:00+00,)}'", `{["2024-01-01 00:00:00+00",)}`, `"{[\"2024-01-01 00:00:00+00\",)}"`)),
		native("regclass", val("'pg_class'", "pg_class", `"pg_class"`)),
		native("regtype", val("'int4'", "integer", `"integer"`)),
		native("regproc", val("'now'", "now", `"now"`)),
		native("regprocedure", val("'now()'", "now()", `"now()"`)),
		native("regoper", val("'pg_catalog.||/'", "||/", `"||/"`)),
		native("regoperator", val("'+(integer,integer)'", "+(integer,integer)", `"+(integer,integer)"`)),
		native("regconfig", val("'simple'", "simple", `"simple"`)),
		native("regdictionary", val("'simple'", "simple", `"simple"`)),
		native("regcollation", val(`'"C"'`, `"C"`, `"\"C\""`)),
		native("regrole", val("'postgres'", "postgres", `"postgres"`)),
		native("regnamespace", val("'public'", "public", `"public"`)),
		native("int2vector", strs("1 2 3")...),
		native("oidvector", strs("1 2 3")...),
	}
}

const (
	makeMood      = "create type mood as enum ('b', 'a c', 'ü')"
	makePair      = "create type pair as (a integer, b text, t timestamp with time zone)"
	makeFloats    = "create type floats as range (subtype = double precision)"
	makeHstore    = "create extension hstore"
	makeCitext    = "create extension citext"
	makeLtree     = "create extension ltree"
	makeCube      = "create extension cube"
	makeSeg       = "create extension seg"
	makeISN       = "create extension isn"
	makePositives = "create domain positive as numeric(6,2) check (value > 0)"
)

// Moods are the labels of the enumeration mood.
func Moods() []string { return []string{"b", "a c", "ü"} }

// postgresMade are types that somebody made, and those of extensions.
func postgresMade() []Type {
	moods := Moods()
	mood := change.Column{Kind: change.KindText, Enum: &moods}
	folded := change.Column{Kind: change.KindText, Equality: change.CaseInsensitive}
	types := []Type{
		pg("mood", "longtext", mood, strs("b", "a c", "ü")...).after(makeMood).note("An enumeration; its labels travel with the shape."),
		native("mood[]", val("'{b,ü}'", "{b,ü}", `"{b,ü}"`), val(`'{"a c"}'`, `{"a c"}`, `"{\"a c\"}"`)),
		native("pair", val(`'(1,"a ""b"" c",2024-01-01 00:00+00)'`, `(1,"a ""b"" c","2024-01-01 00:00:00+00")`, `"(1,\"a \"\"b\"\" c\",\"2024-01-01 00:00:00+00\")"`),
			val("'(,,)'", "(,,)", `"(,,)"`)).after(makePair).note("A composite type."),
		native("pair[]", val(`'{"(1,b,)"}'`, `{"(1,b,)"}`, `"{\"(1,b,)\"}"`)),
		native("floats", val("'[1.5,2.5)'", "[1.5,2.5)", `"[1.5,2.5)"`)).after(makeFloats).note("A range type."),
		pg("numeric(6,2)", "decimal(6,2)", change.Column{Kind: change.KindDecimal, Precision: 6, Scale: 2, Equality: change.Numeric}, val("1.5", "1.50", `"1.50"`)).
			domain("positive", makePositives),
		native("hstore", val(`'a=>1, "b c"=>NULL'`, `"a"=>"1", "b c"=>NULL`, `"\"a\"=>\"1\", \"b c\"=>NULL"`)).after(makeHstore),
		pg("citext", "longtext", folded, strs("Ab")...).after(makeCitext),
		native("ltree", strs("Top.Science")...).after(makeLtree),
		native("lquery", strs("*.a*.b{2}")...),
		native("cube", val("'(1,2),(3,4)'", "(1, 2),(3, 4)", `"(1, 2),(3, 4)"`)).after(makeCube).note("Of an extension that tailwater knows nothing of: its text."),
		native("seg", val("'1.50 .. 2'", "1.50 .. 2", `"1.50 .. 2"`)).after(makeSeg),
		native("ean13", val("'978-0-393-04002-9'", "978-0-393-04002-9", `"978-0-393-04002-9"`)).after(makeISN),
	}
	for i := range types {
		types[i].made = types[i].SQL == "" // a domain is the type below it, which every server has
	}
	return types
}

// domain is t as the type below a domain.
func (t Type) domain(name, setup string) Type {
	t.SQL, t.Setup, t.Note = name, setup, "A domain is the type below it; its checks are the source's."
	return t
}

func postgresArrays() []Type {
	return []Type{
		shown("integer[]", "{1,NULL,-3}", "{}", "{{1,2},{3,4}}", "[0:1]={7,8}", "[-1:0][5:6]={{1,2},{3,4}}"),
		shown("bigint[]", "{-9223372036854775808}"),
		shown("smallint[]", "{32767}"),
		native("boolean[]", val("'{t,f,null}'", "{t,f,NULL}", `"{t,f,NULL}"`)),
		native("text[]", val(`array['a,b', '"q"', 'null', '', null, E'\\']`, `{"a,b","\"q\"","null","",NULL,"\\"}`, `"{\"a,b\",\"\\\"q\\\"\",\"null\",\"\",NULL,\"\\\\\"}"`)),
		shown("character varying(5)[]", "{a,b}"),
		native("character(2)[]", val("'{a}'", `{"a "}`, `"{\"a \"}"`)),
		shown("real[]", "{0.1,1e+38,NaN,Infinity}"),
		shown("double precision[]", "{0.30000000000000004,5e-324,-Infinity}"),
		shown("numeric[]", "{1.00,NaN}"),
		shown("numeric(5,2)[]", "{1.50}"),
		native("bytea[]", val(`'{"\\x00ff"}'`, `{"\\x00ff"}`, `"{\"\\\\x00ff\"}"`)),
		shown("date[]", `{2024-01-01,infinity,"4713-01-01 BC"}`),
		shown("time without time zone[]", "{24:00:00}"),
		native("timestamp without time zone[]", val("'{2024-01-01 00:00}'", `{"2024-01-01 00:00:00"}`, `"{\"2024-01-01 00:00:00\"}"`)),
		native("timestamp with time zone[]", val("'{2024-01-01 00:00+02}'", `{"2023-12-31 22:00:00+00"}`, `"{\"2023-12-31 22:00:00+00\"}"`)),
		native("interval[]", val("'{1 day 02:03:04}'", `{"1 day 02:03:04"}`, `"{P1DT2H3M4S}"`)),
		shown("uuid[]", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"),
		native("json[]", val(`array['{"a" : 1}'::json]`, `{"{\"a\" : 1}"}`, `"{\"{\\\"a\\\" : 1}\"}"`)),
		native("jsonb[]", val(`array['{"a":1}'::jsonb]`, `{"{\"a\": 1}"}`, `"{\"{\\\"a\\\": 1}\"}"`)),
		shown("inet[]", "{10.0.0.1,::1}"),
		shown("bit(2)[]", "{10,01}"),
		native("int4range[]", val(`'{"[1,2]"}'`, `{"[1,3)"}`, `"{\"[1,3)\"}"`)),
		shown("point[]", `{"(1,2)"}`),
		native("money[]", val("array['1'::money]", "{$1.00}", `"{$1.00}"`)),
		shown("bit varying[]", "{10,NULL}"),
	}
}
