package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/pkg/testenv/typetable"
)

// TestTypes reads every value of every type from a snapshot and from the stream, and holds both, and the server's own text, against what is
// written by hand. The server's own sessions have other styles.
func TestTypes(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		tables := typetable.Tables(typetable.PostgresFamilies(), fmt.Sprintf("pg%d", pg.Major))
		for i := range tables {
			for _, setup := range tables[i].Setup() {
				pg.Exec(setup)
			}
			pg.Exec(tables[i].CreateSQL())
			pg.Exec(tables[i].InsertSQL(0))
		}
		pg.Exec(fmt.Sprintf(`alter database %s set datestyle = 'SQL, DMY'; alter database %[1]s set intervalstyle = 'sql_standard';
			alter database %[1]s set timezone = 'Asia/Tokyo'; alter database %[1]s set bytea_output = 'escape'; alter database %[1]s set extra_float_digits = 0;
			alter database %[1]s set xmlbinary = 'hex'; alter database %[1]s set search_path = 'public', 'pg_temp'`, pg.Database))
		c := config(t, pg)
		c.SnapshotMode = postgres.SnapshotInitial
		r := read(t, c, fresh)
		var rows []change.Change
		for n := cells(tables); len(rows) < n; {
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
			rows, r.got = append(rows, r.got...), nil
		}
		for i := range tables {
			pg.Exec(tables[i].InsertSQL(typetable.Later))
		}
		rows = append(rows, r.all()...)
		byTable := map[string]map[int64]change.Change{}
		for _, c := range rows {
			if byTable[c.Table.Name] == nil {
				byTable[c.Table.Name] = map[int64]change.Change{}
			}
			byTable[c.Table.Name][c.After[0].Int()] = c
		}
		for i := range tables {
			checkTable(t, &tables[i], byTable[tables[i].Name])
			texts := pg.Query(tables[i].Texts(typetable.Postgres, func(int) string { return "" }))
			for _, line := range tables[i].Differences(texts, 0, func(c typetable.Cell) string { return c.Value.Text }) {
				t.Errorf("the server: %s", line)
			}
		}
	})
}

func cells(tables []typetable.Table) (n int) {
	for i := range tables {
		n += len(tables[i].Cells)
	}
	return n
}

func checkTable(t *testing.T, table *typetable.Table, rows map[int64]change.Change) {
	t.Helper()
	for _, c := range table.Cells {
		typ := &table.Types[c.Column]
		for _, op := range []change.Op{change.SnapshotRow, change.Insert} {
			id := c.ID
			if op == change.Insert {
				id += typetable.Later
			}
			row, ok := rows[int64(id)]
			if !ok || row.Op != op {
				t.Errorf("%s: no %s of row %d", table.Name, op, id)
				continue
			}
			column, v := row.Table.Columns[c.Column+1], row.After[c.Column+1]
			if text := string(change.AppendJSON(nil, &column, v)); text != c.Value.JSON {
				t.Errorf("%s: %s of %s is %s, want %s", op, c.Value.SQL, typ.Name, text, c.Value.JSON)
			}
			if text, err := change.ParseText(&column, string(change.AppendText(nil, &column, v))); err != nil || text != v {
				t.Errorf("%s: %s of %s doesn't come back from its text: %v, %v", op, c.Value.SQL, typ.Name, text, err)
			}
			for i, other := range row.After[1:] {
				if i != c.Column && !other.IsNull() {
					t.Errorf("%s of row %d: column %d is not NULL", op, id, i)
				}
			}
		}
	}
	first, ok := rows[1]
	for i := range table.Types {
		if ok {
			checkColumn(t, &table.Types[i], first.Table.Columns[i+1])
		}
	}
}

func checkColumn(t *testing.T, typ *typetable.Type, column change.Column) {
	t.Helper()
	expected := typ.Column
	expected.Name, expected.ID, expected.Native, expected.Nullable = column.Name, column.ID, typ.Name, !strings.Contains(typ.Setup, "not null")
	if column.Enum != nil && expected.Enum != nil && fmt.Sprint(*column.Enum) == fmt.Sprint(*expected.Enum) {
		column.Enum = expected.Enum
	}
	if column != expected {
		t.Errorf("%s is the column %+v, want %+v", typ.Definition(), column, expected)
	}
}

// TestDomains: a domain is the type below it, a NOT NULL on the way to it counts, and so does a collation.
func TestDomains(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create domain short as varchar(5) not null; create domain shorter as short;
			create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
			create table d (id int primary key, s shorter, c text collate ci, g int generated always as (id * 2) stored)`)
		r := read(t, config(t, pg), fresh)
		pg.Exec("insert into d values (1, 'x', 'y')")
		domain := r.all()
		want(t, domain, `insert d + 1 "x" "y"`)
		d := domain[0].Table
		if s := d.Columns[1]; s.Native != "character varying(5)" || s.Length != 5 || s.Nullable {
			t.Errorf("a domain's column is %+v", s)
		}
		if c := d.Columns[2]; c.Equality != change.Unknown || !c.Nullable {
			t.Errorf("a column of a nondeterministic collation is %+v", c)
		}
	})
}

// closed are types of the catalogue's own, which take no input.
var closed = []string{"gtsvector", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "pg_dependencies", "pg_mcv_list", "pg_ndistinct", "pg_node_tree"}

// TestEveryTypeIsListed: no type of the server is missing from the tables.
func TestEveryTypeIsListed(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		listed := map[string]bool{}
		for _, table := range typetable.Tables(typetable.PostgresFamilies(), fmt.Sprintf("pg%d", pg.Major)) {
			for _, typ := range table.Types {
				name, _, _ := strings.Cut(typ.Name, "(")
				_, rest, _ := strings.Cut(typ.Name, ")")
				listed[name+rest] = true
			}
		}
		for _, row := range pg.Query(`select format_type(oid, null) from pg_type where typnamespace = 'pg_catalog'::regnamespace
			and typtype in ('b', 'r', 'm') and typcategory <> 'A' order by 1`) {
			if !listed[row[0]] && !slices.Contains(closed, row[0]) {
				t.Errorf("%s is in no table", row[0])
			}
		}
	})
}
