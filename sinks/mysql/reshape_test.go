package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// widths are types and what they become: each that is wider is held against the servers below, with the values at the limits of the first.
var widths = []struct {
	from, to string
	wider    bool
	values   []string
}{
	{"tinyint", "smallint", true, []string{"-128", "127"}},
	{"smallint", "mediumint", true, []string{"-32768", "32767"}},
	{"mediumint", "int", true, []string{"-8388608", "8388607"}},
	{"int", "bigint", true, []string{"-2147483648", "2147483647"}},
	{"int unsigned", "bigint unsigned", true, []string{"4294967295"}},
	{"int unsigned", "bigint", true, []string{"4294967295"}},
	{"int unsigned", "int", false, nil},
	{"int", "int unsigned", false, nil},
	{"int", "bigint unsigned", false, nil},
	{"bigint", "int", false, nil},
	{"int zerofill", "bigint", false, nil},
	{"int", "double", true, []string{"-2147483648", "2147483647"}},
	{"int", "float", false, nil},
	{"bigint", "double", false, nil},
	{"float", "double", true, []string{"1.5", "-0.25"}},
	{"double", "float", false, nil},
	{"int", "decimal(10,0)", true, []string{"-2147483648"}},
	{"int", "decimal(11,2)", false, nil},
	{"bigint", "decimal(19,0)", true, []string{"9223372036854775807", "-9223372036854775808"}},
	{"bigint unsigned", "decimal(20,0)", true, []string{"18446744073709551615"}},
	{"bigint unsigned", "decimal(19,0)", false, nil},
	{"decimal(10,2)", "decimal(12,2)", true, []string{"99999999.99"}},
	{"decimal(10,2)", "decimal(11,4)", false, nil},
	{"decimal(10,2)", "decimal(10,1)", false, nil},
	{"decimal(10,2)", "double", false, nil},
	{"char(3)", "char(5)", true, []string{"'abc'", "'a'"}},
	{"char(3)", "varchar(5)", false, nil},
	{"varchar(5)", "varchar(9)", true, []string{"'ab   '", "'üüüüü'"}},
	{"varchar(9)", "varchar(5)", false, nil},
	{"varchar(63)", "tinytext", true, []string{"repeat('😀', 63)", "'a '"}},
	{"varchar(64)", "tinytext", false, nil},
	{"varchar(5)", "longtext", true, []string{"'ab   '"}},
	{"tinytext", "text", true, []string{"repeat('x', 255)", "'a '"}},
	{"text", "longtext", true, []string{"'a '"}},
	{"longtext", "text", false, nil},
	{"varbinary(3)", "varbinary(5)", true, []string{"x'6100'"}},
	{"varbinary(3)", "blob", true, []string{"x'610020'"}},
	{"binary(3)", "binary(5)", false, nil},
	{"blob", "longblob", true, []string{"x'610020'"}},
	{"blob", "text", false, nil},
	{"date", "datetime", false, nil},
	{"datetime", "datetime(6)", true, []string{"'2024-01-02 03:04:05'"}},
	{"datetime(3)", "datetime(6)", true, []string{"'2024-01-02 03:04:05.678'"}},
	{"datetime(6)", "datetime(3)", false, nil},
	{"datetime", "timestamp", false, nil},
	{"timestamp", "timestamp(3)", true, []string{"'2024-01-02 03:04:05'"}},
	{"time(3)", "time(6)", true, []string{"'-838:59:58.123'"}},
	{"bit(3)", "bit(9)", true, []string{"b'101'"}},
	{"bit(9)", "bit(3)", false, nil},
	{"enum('a','b')", "enum('a','b','c')", true, []string{"'a'", "'b'"}},
	{"enum('a','it''s')", "enum('c','it''s','a')", true, []string{"'a'", "'it''s'"}},
	{"enum('a','b')", "enum('a','c')", false, nil},
	{"set('a','b')", "set('a','b','c')", true, []string{"'a,b'", "''"}},
	{"year", "smallint", false, nil},
	{"longtext", "json", false, nil},
}

// TestWider holds the table of widenings against the servers: what is called wider converts without a word and keeps every value as it was.
func TestWider(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for _, w := range widths {
			if got := mysql.Wider(w.from, w.to); got != w.wider {
				t.Errorf("%s to %s is wider: %v, want %v", w.from, w.to, got, w.wider)
			}
			if !w.wider {
				continue
			}
			my.Exec("drop table if exists w, was")
			my.Exec("create table w (n int auto_increment primary key, v " + w.from + " null) character set utf8mb4")
			for _, v := range w.values {
				my.Exec("insert into w (v) values (" + v + ")")
			}
			my.Exec("create table was as select * from w")
			my.Exec("alter table w modify v " + w.to + " null")
			if n := my.Value("select count(*) from w join was using (n) where not (w.v <=> was.v)"); n != "0" {
				t.Errorf("%s to %s changes %s of %d values", w.from, w.to, n, len(w.values))
			}
		}
	})
}
