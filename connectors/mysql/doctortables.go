package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// grants looks for rights that are missing and for such that are too many.
func (d *doctor) grants(ctx context.Context) error {
	rows, err := d.conn.all(ctx, "show grants")
	if err != nil {
		return fmt.Errorf("read the grants: %w", err)
	}
	all := ""
	for _, row := range rows {
		all += strings.ToUpper(row[0]) + "\n"
	}
	everything := strings.Contains(all, "GRANT ALL PRIVILEGES ON *.*")
	fix := "tailwater grants source"
	missing := []string{}
	for _, right := range [][]string{{"REPLICATION SLAVE", "REPLICATION REPLICA"}, {"REPLICATION CLIENT", "BINLOG MONITOR"}} {
		if !everything && !slices.ContainsFunc(right, func(name string) bool { return strings.Contains(all, name) }) {
			missing = append(missing, right[0])
		}
	}
	surplus := []string{}
	for _, right := range []string{"SUPER", "CONNECTION_ADMIN", "CONNECTION ADMIN", "SHUTDOWN", "CREATE USER", "FILE"} {
		if strings.Contains(all, right) {
			surplus = append(surplus, right)
		}
	}
	if everything {
		surplus = []string{"ALL PRIVILEGES"}
	}
	switch {
	case len(missing) > 0:
		d.fail(checkGrants, fix, "user %s lacks %s", d.config.User, strings.Join(missing, ", "))
	case len(surplus) > 0:
		d.warn(checkGrants, fix, "user %s may do more than it needs: %s", d.config.User, strings.Join(surplus, ", "))
	default:
		d.ok(checkGrants, "user %s may read the log, and nothing more of the server", d.config.User)
	}
	return nil
}

// tables looks at each captured table.
func (d *doctor) tables(ctx context.Context) error {
	sel, err := newSelection(d.config.Include, d.config.Exclude)
	if err != nil {
		return err
	}
	list, err := listTables(ctx, d.conn)
	if err != nil {
		return err
	}
	unfit, err := sel.unfit(ctx, d.conn)
	if err != nil {
		return err
	}
	for _, err := range unfit {
		d.fail(checkTables, "add the table to tables.exclude", "%v", err)
	}
	if err := sel.missing(ctx, d.conn, list); err != nil {
		d.fail(checkTables, "tailwater grants source", "%v", err)
	}
	tables := sel.selected(list)
	if len(tables) == 0 {
		if err := sel.hidden(ctx, d.conn); err != nil {
			d.fail(checkTables, "tailwater grants source", "%v", err)
		} else {
			d.warn(checkTables, "correct tables.include, unless the tables are made later", "no table matches")
		}
		return nil
	}
	d.ok(checkTables, "%d tables match", len(tables))
	for _, t := range tables {
		if err := d.table(ctx, t); err != nil {
			return err
		}
	}
	if err := d.engines(ctx, tables); err != nil {
		return err
	}
	return d.foreignKeys(ctx, tables)
}

func (d *doctor) table(ctx context.Context, t tableName) error {
	s, err := newShapes(d.config, nil).fromCatalog(ctx, d.conn, t)
	if err != nil {
		fix := ""
		if errors.Is(err, errPartly) {
			fix = "tailwater grants source"
		}
		d.fail(checkTables, fix, "table %s: %v", t, err)
		return nil
	}
	key := s.table.Key
	if len(key) == 0 {
		d.warn(checkKey, "ALTER TABLE "+quoteTable(t.schema, t.name)+" ADD COLUMN id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY;",
			"table %s has no key: all columns together tell its rows apart, and equal rows are told by their place in the log", t)
		return nil
	}
	var loose []string
	bytewise := false
	for _, at := range key {
		c := &s.table.Columns[at]
		if c.Equality == change.Unknown {
			loose = append(loose, c.Name)
		} else {
			bytewise = true
		}
	}
	if len(loose) > 0 && !bytewise {
		d.warn(checkCollations, "", "table %s: which texts the collation of key column %s takes for one isn't known here, so all its rows share one lane",
			t, strings.Join(loose, ", "))
	}
	return nil
}

// engines warns of tables that a ROLLBACK leaves as they are.
func (d *doctor) engines(ctx context.Context, tables []tableName) error {
	rows, err := d.conn.all(ctx, "select t.table_schema, t.table_name, t.engine from information_schema.tables t join information_schema.engines e "+
		"on e.engine = t.engine where e.transactions <> 'YES' and t.table_type = 'BASE TABLE'")
	if err != nil {
		return fmt.Errorf("ask for engines: %w", err)
	}
	for _, row := range rows {
		if t := (tableName{row[0], row[1]}); slices.Contains(tables, t) {
			d.warn(checkEngine, "ALTER TABLE "+quoteTable(t.schema, t.name)+" ENGINE = InnoDB;",
				"table %s is %s: a snapshot doesn't stand at one moment, and a transaction that is rolled back halts the pipeline", t, row[2])
		}
	}
	return nil
}

// foreignKeys warns of rows that change without a word in the log. MySQL 9.6 and later write them, unless the setting says otherwise.
func (d *doctor) foreignKeys(ctx context.Context, tables []tableName) error {
	set, err := d.conn.all(ctx, "show global variables like 'innodb_native_foreign_keys'")
	if err != nil {
		return fmt.Errorf("ask for innodb_native_foreign_keys: %w", err)
	}
	if len(set) == 1 && !isOn(set[0][1]) {
		d.ok(checkForeign, "what foreign keys do is in the log")
		return nil
	}
	silent := 0
	for _, t := range tables {
		row, err := d.conn.one(ctx, "show create table "+quoteTable(t.schema, t.name)) // information_schema shows them to those who may write only
		if errorCode(err) == codeTableDenied {
			continue // it was named
		}
		if err != nil {
			return fmt.Errorf("ask for the foreign keys of %s: %w", t, err)
		}
		for line := range strings.SplitSeq(row[1], "\n") {
			name, rule := actingKey(line)
			if name == "" {
				continue
			}
			silent++
			d.warn(checkForeign, "ALTER TABLE "+quoteTable(t.schema, t.name)+" DROP FOREIGN KEY "+name+"; -- and add it without CASCADE or SET NULL",
				"foreign key %s of %s (%s) changes rows that the log doesn't show: targets keep the old ones", name, t, rule)
		}
	}
	if silent == 0 {
		d.ok(checkForeign, "no foreign key changes rows by itself")
	}
	return nil
}

// actingKey reads a line of SHOW CREATE TABLE: the quoted name of a foreign key that changes rows, and how.
func actingKey(line string) (name, rule string) {
	line, ours := strings.CutPrefix(strings.TrimSpace(line), "CONSTRAINT ")
	name, rest, found := strings.Cut(line, " FOREIGN KEY (")
	at := strings.Index(rest, ") ON ")
	if !ours || !found || at < 0 {
		return "", ""
	}
	rule = strings.TrimSuffix(rest[at+2:], ",")
	if !strings.Contains(rule, "CASCADE") && !strings.Contains(rule, "SET ") {
		return "", ""
	}
	return name, rule
}
