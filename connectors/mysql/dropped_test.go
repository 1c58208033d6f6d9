package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestDroppedWithoutSnapshots: with snapshot mode never the rows of a table that is dropped go from the targets too, whether or not this process has seen any of them: with the
// table that is made in its place, also where the process ends between the two.
func TestDroppedWithoutSnapshots(t *testing.T) {
	const setup = "create table o (id int primary key); create table w (id int primary key)"
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec(setup)
		dropTables(my, startTail(t, my, config(t, my)))
	})
	positional(t, func(t *testing.T, my *testenv.My) { dropTables(my, fresh(t, my, setup)) })
}

func dropTables(my *testenv.My, s *tail) {
	my.Exec("insert into o values (1)")
	s.want("new_shape o", "insert o + 1")
	my.Exec("drop table o; create table o (id int primary key); insert into o values (2)")
	s.want("truncate o", "new_shape o", "insert o + 2")
	s.stop()
	my.Exec("drop table o; create table o (id int primary key, v int); insert into o values (3, 3)")
	s.start()
	s.want("new_shape o", "truncate o", "insert o + 3 3")
	s.stop()
	s.start()
	my.Exec("drop table o; insert into w values (1)")
	s.want("new_shape w", "insert w + 1")
	s.stop()
	s.start()
	my.Exec("create table o (id int primary key)")
	s.want("new_shape o", "truncate o")
	my.Exec("insert into o values (4); alter table o add v int; insert into o values (5, 5)")
	s.want("insert o + 4", "new_shape o", "insert o + 5 5")
	s.stop()
	my.Exec("rename table o to p; insert into w values (2)")
	s.start()
	s.want("new_shape w", "insert w + 2")
	s.stop()
}
