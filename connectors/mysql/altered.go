package mysql

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
)

// altered returns what a table is behind a statement. The types of columns that the statement defines are left open: the next TABLE_MAP has them.
//
// Source: MySQL 9.7 and MariaDB 11.8, sql/sql_table.cc, mysql_prepare_alter_table: what is there first, then what is placed, in the order of the statement.
func (p *past) altered(e alter, flavor string) (*past, error) {
	out := &past{Schema: p.Schema, Name: p.Name, Types: slices.Clone(p.Types), Open: slices.Clone(p.Open)}
	for _, k := range p.Keys {
		out.Keys = append(out.Keys, pastKey{Name: k.Name, Columns: slices.Clone(k.Columns)})
	}
	renamed, err := out.inPlace(e.columns, flavor)
	if err != nil {
		return nil, err
	}
	if err := out.keyed(e, renamed); err != nil {
		return nil, err
	}
	for _, edit := range e.columns {
		if err := out.placed(edit, flavor); err != nil {
			return nil, err
		}
	}
	for i := range out.Types {
		if out.at(out.Types[i].Name) != i { // a name twice: it was read wrongly
			return nil, errAlter
		}
	}
	return out, nil
}

// at returns where a column stands, or -1. No two names of a table differ in case only.
func (p *past) at(name string) int {
	return slices.IndexFunc(p.Types, func(t myvalue.Type) bool { return strings.EqualFold(t.Name, name) })
}

// inPlace does what is done to columns that are there, each under the name that it had, and returns the new names by the old.
func (p *past) inPlace(list []columnEdit, flavor string) (map[string]string, error) {
	was := slices.Clone(p.Types)
	find := func(name string) int {
		return slices.IndexFunc(was, func(t myvalue.Type) bool { return strings.EqualFold(t.Name, name) })
	}
	renamed, gone := map[string]string{}, map[int]bool{}
	for _, edit := range list {
		i := find(edit.name)
		switch {
		case edit.verb == "ADD":
			continue
		case i < 0 && edit.ifExists:
			continue
		case i < 0 || gone[i] || renamed[was[i].Name] != "" || was[i].Generated || was[i].Hidden:
			return nil, errAlter
		case edit.verb == "DROP":
			gone[i] = true
			continue
		case edit.verb == "MODIFY":
			p.open(was[i].Name, "")
			p.Types[i] = openType(edit, flavor)
			p.Open = append(p.Open, edit.to)
		default:
			if slices.Contains(p.Open, was[i].Name) {
				p.open(was[i].Name, edit.to)
			}
			p.Types[i].Name = edit.to
		}
		renamed[was[i].Name] = edit.to
	}
	for i := len(was) - 1; i >= 0; i-- {
		if gone[i] {
			p.open(was[i].Name, "")
			p.Types = slices.Delete(p.Types, i, i+1)
		}
	}
	return renamed, nil
}

// open renames a column that is open, or takes it away.
func (p *past) open(name, to string) {
	at := slices.Index(p.Open, name)
	switch {
	case at < 0:
	case to == "":
		p.Open = slices.Delete(p.Open, at, at+1)
	default:
		p.Open[at] = to
	}
}

// openType is what the statement itself says of a type.
func openType(edit columnEdit, flavor string) myvalue.Type {
	return myvalue.Type{Name: edit.to, Flavor: flavor, Unsigned: edit.unsigned, Known: true}
}

// placed adds a column, or moves one that has another place now.
func (p *past) placed(edit columnEdit, flavor string) error {
	if edit.json && flavor == MariaDB {
		return errAlter // text, with a check that only the catalogue shows
	}
	var column myvalue.Type
	switch at := p.at(edit.to); {
	case edit.verb == "ADD" && at >= 0 && edit.ifExists:
		return nil
	case edit.verb == "ADD" && at >= 0:
		return errAlter
	case edit.verb == "ADD":
		column = openType(edit, flavor)
		p.Open = append(p.Open, edit.to)
	case edit.verb != "MODIFY" || edit.place == "" || at < 0:
		return nil
	default:
		column = p.Types[at]
		p.Types = slices.Delete(p.Types, at, at+1)
	}
	to := len(p.Types)
	switch edit.place {
	case "FIRST":
		to = 0
	case "AFTER":
		if to = p.at(edit.after) + 1; to == 0 {
			return errAlter
		}
	}
	p.Types = slices.Insert(p.Types, to, column)
	return nil
}

// keyed follows the keys. A primary key stays while its columns do; which other key comes first can't be followed when one comes or goes, or a column of
// it may be NULL or not from here on.
func (p *past) keyed(e alter, renamed map[string]string) error {
	primary := len(p.Keys) > 0 && p.Keys[0].Name == primaryKey
	if primary {
		p.Keys = p.Keys[:1]
	}
	touched := e.keys || slices.ContainsFunc(e.columns, func(c columnEdit) bool { return c.verb == "DROP" || c.verb == "MODIFY" })
	if touched && !primary {
		return errAlter
	}
	for _, k := range p.Keys {
		for i, name := range k.Columns {
			if to := renamed[name]; to != "" {
				k.Columns[i] = to
			}
			if p.at(k.Columns[i]) < 0 {
				return errAlter // dropped
			}
		}
	}
	return nil
}
