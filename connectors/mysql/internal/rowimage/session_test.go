package rowimage_test

import (
	"database/sql"
	"reflect"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestSessionModes reads a catalogue and rows in sessions whose sql_mode makes the server write them otherwise.
func TestSessionModes(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		rows := logRows(t, my, func() {
			my.Exec(`create table s (id int primary key, c char(5), e enum('\\n', 'a\nb', 'x\0y', 'it''s', '"'), b binary(3), u varchar(9) character set latin1, ` + "`q``\"'\\\\`" + ` json)`)
			my.Exec(`insert into s values (1, 'a', '\\n', 'b', 'é', '{}'), (2, '', 'a\nb', '', ' ', null), (3, 'abcde', 'x\0y', 'abc', 'é ', '[1]')`)
		})
		for _, mode := range []string{"", "PAD_CHAR_TO_FULL_LENGTH", "NO_BACKSLASH_ESCAPES", "ANSI", "ORACLE", "MSSQL", "MYSQL323", "TIME_ROUND_FRACTIONAL", "ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH"} {
			conn := snapshotSession(t, my)
			if _, err := conn.ExecContext(t.Context(), "set sql_mode = '"+mode+"'"); err != nil {
				if my.MariaDB {
					t.Error(err)
				}
				continue // MySQL hasn't got them all
			}
			types, err := catalogueOf(t, my, conn, "s")
			if err == nil {
				types, err = myvalue.Agree(rows[0].table.Types, types)
			}
			if err != nil {
				t.Errorf("%q: %v", mode, err)
				continue
			}
			if kind := types[5].Column().Kind; kind != change.KindJSON {
				t.Errorf("%q: a JSON column is %s", mode, kind)
			}
			read, err := selected(t, conn, "s", types)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rows {
				for j, v := range r.after {
					if v != read[i][j] {
						t.Errorf("%q: %v in the log, %v in a snapshot", mode, v, read[i][j])
					}
				}
			}
		}
	})
}

// TestEmptyDocument reads what INSERT IGNORE leaves of a NULL in a JSON column that is NOT NULL.
func TestEmptyDocument(t *testing.T) {
	my := testenv.MySQL(t, "mysql97")
	rows := logRows(t, my, func() {
		my.Exec("create table n (id int primary key, j json not null); set sql_mode = ''; insert ignore into n values (1, null), (2, '{}')")
	})
	read, err := selected(t, snapshotSession(t, my), "n", rows[0].types)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if r.after[1] != read[i][1] {
			t.Errorf("%v in the log, %v in a snapshot", r.after[1], read[i][1])
		}
	}
	expectRows(t, rows, "insert n (1 null)\ninsert n (2 {})\n")
}

// TestGrants reads the catalogue as an account that may only select.
func TestGrants(t *testing.T) {
	for _, name := range []string{"mariadb10", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			my := testenv.MySQL(t, name)
			my.Exec("create table j (id int primary key, j json, u uuid, v int as (id) stored)")
			conn := snapshotSession(t, my)
			want, err := fieldsOf(t, my, conn, "j")
			if err != nil {
				t.Fatal(err)
			}
			user, password := my.User("select")
			db, err := sql.Open("mysql", my.As(user, password))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			limited, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer limited.Close()
			got, err := fieldsOf(t, my, limited, "j")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v, as root %+v", got, err, want)
			}
		})
	}
}
