package testenv

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Null is how Query and Psql show NULL. A text of these two bytes looks the same; Compare tells them apart.
const Null = `\N`

// shownDifferences is how many rows Compare prints of each side.
const shownDifferences = 10

// Query returns the rows of one statement, each value as the server's own text.
func (p *PG) Query(sql string) [][]string {
	p.t.Helper()
	ctx, cancel := bounded(p.t, statementLimit)
	defer cancel()
	_, rows, err := p.rows(ctx, sql)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, sql)
	}
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = texts(row)
	}
	return out
}

func texts(row [][]byte) []string {
	out := make([]string, len(row))
	for i, value := range row {
		out[i] = Null
		if value != nil {
			out[i] = string(value)
		}
	}
	return out
}

// Value returns the only value of a query of one row and one column.
func (p *PG) Value(sql string) string {
	p.t.Helper()
	rows := p.Query(sql)
	if len(rows) != 1 || len(rows[0]) != 1 {
		p.t.Fatalf("want one value, have %v\n%s", rows, sql)
	}
	return rows[0][0]
}

// Psql runs sql with the server's own client and returns what it prints: unaligned, tab between values, Null for NULL.
func (p *PG) Psql(sql string) string {
	p.t.Helper()
	args := append(slices.Clone(p.psql[1:]), "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null="+Null,
		"-v", "ON_ERROR_STOP=1", "-d", p.URL, "-c", sql)
	ctx, cancel := bounded(p.t, statementLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.psql[0], args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("psql: %v\n%s%s", err, &complaint, sql)
	}
	return string(out)
}

// Checksum returns the table's row count and a hash over its rows' text in the given order, computed by the server: for tables
// too large for Compare. table and orderBy are SQL; orderBy must order totally.
func (p *PG) Checksum(table, orderBy string) string {
	p.t.Helper()
	return p.Value(fmt.Sprintf("select count(*) || ':' || coalesce(md5(string_agg(md5(r::text), '' order by %s)), '') from %s as r",
		orderBy, table))
}

// Side is a query and where it runs, for Compare: a PG or a My.
type Side struct {
	From interface {
		rows(ctx context.Context, sql string) (columns []string, rows [][][]byte, err error)
	}
	SQL string
}

// Of makes a Side of a query on p.
func (p *PG) Of(sql string) Side { return Side{From: p, SQL: sql} }

// Compare fails the test, and goes on, unless both queries give the same columns and the same rows, each as often, by the
// servers' own text. Order doesn't count. It prints the first rows that only one side has, and reports whether all is equal.
func Compare(t testing.TB, a, b Side) bool {
	t.Helper()
	ctx, cancel := bounded(t, statementLimit)
	defer cancel()
	difference, err := compare(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	if difference != "" {
		t.Errorf("rows differ\n- %s\n+ %s\n%s", a.SQL, b.SQL, difference)
	}
	return difference == ""
}

func compare(ctx context.Context, a, b Side) (string, error) {
	columns, left, err := a.sorted(ctx)
	if err != nil {
		return "", err
	}
	others, right, err := b.sorted(ctx)
	if err != nil {
		return "", err
	}
	if !slices.Equal(columns, others) {
		return fmt.Sprintf("- columns %q\n+ columns %q", columns, others), nil
	}
	onlyLeft, onlyRight := unmatched(left, right)
	if len(onlyLeft)+len(onlyRight) == 0 {
		return "", nil
	}
	var out strings.Builder
	fmt.Fprintf(&out, "  %d rows against %d; %d only in the first, %d only in the second\n  %s\n",
		len(left), len(right), len(onlyLeft), len(onlyRight), strings.Join(columns, " | "))
	show(&out, "-", onlyLeft)
	show(&out, "+", onlyRight)
	return out.String(), nil
}

func (s Side) sorted(ctx context.Context) ([]string, [][][]byte, error) {
	columns, rows, err := s.From.rows(ctx, s.SQL)
	if err != nil {
		return nil, nil, fmt.Errorf("%w\n%s", err, s.SQL)
	}
	slices.SortFunc(rows, compareRows)
	return columns, rows, nil
}

// compareRows orders rows of the same columns by their bytes, NULL before every text.
func compareRows(a, b [][]byte) int {
	return slices.CompareFunc(a, b, func(x, y []byte) int {
		switch {
		case x == nil && y == nil:
			return 0
		case x == nil:
			return -1
		case y == nil:
			return 1
		}
		return bytes.Compare(x, y)
	})
}

// unmatched walks two sorted lists and returns the rows that only one of them has.
func unmatched(left, right [][][]byte) (onlyLeft, onlyRight [][][]byte) {
	for len(left) > 0 && len(right) > 0 {
		switch c := compareRows(left[0], right[0]); {
		case c < 0:
			onlyLeft, left = append(onlyLeft, left[0]), left[1:]
		case c > 0:
			onlyRight, right = append(onlyRight, right[0]), right[1:]
		default:
			left, right = left[1:], right[1:]
		}
	}
	return append(onlyLeft, left...), append(onlyRight, right...)
}

func show(out *strings.Builder, sign string, rows [][][]byte) {
	for i, row := range rows {
		if i == shownDifferences {
			fmt.Fprintf(out, "%s ... and %d more\n", sign, len(rows)-i)
			return
		}
		out.WriteString(sign)
		for j, value := range row {
			if j > 0 {
				out.WriteString(" |")
			}
			if value == nil {
				out.WriteString(" NULL")
			} else {
				fmt.Fprintf(out, " %q", value)
			}
		}
		out.WriteByte('\n')
	}
}
