package codec

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// AppendChange appends c in its self-contained form, README.md section 8: a JSON object that holds the table's shape too. It is for
// changes that are kept one by one, such as parked ones. A change that the format can't carry is change.ErrHalt.
func AppendChange(dst []byte, c *change.Change) ([]byte, error) {
	out, err := appendChange(dst, c)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func appendChange(dst []byte, c *change.Change) ([]byte, error) {
	if err := check(c); err != nil {
		return dst, err
	}
	p, err := newPlan(c.Table, &Options{})
	if err != nil {
		return dst, err
	}
	if err := p.stampFor(c); err != nil {
		return dst, err
	}
	dst = append(dst, `{"v":1,"op":"`...)
	dst = append(append(dst, c.Op.String()...), `","pos":"`...)
	dst, _ = c.Pos.AppendText(dst) // never an error
	dst = append(dst, '"')
	if c.Txn != nil {
		dst, err = appendString(append(dst, `,"txn":`...), c.Txn.ID)
		if err != nil {
			return dst, errorf("transaction id of %s of %s at %s: %w", c.Op, c.Table, c.Pos, err)
		}
		dst = append(append(dst, `,"time_us":`...), p.stamp.micros...)
	}
	if unset := appendUnset(appendUnset(nil, 'a', c.After), 'b', c.Before); len(unset) > 0 {
		dst = append(append(append(dst, `,"unset":"`...), unset...), '"')
	}
	if dst, err = change.AppendShape(append(dst, `,"shape":`...), c.Table); err != nil {
		return dst, errorf("%w", err)
	}
	if dst, err = p.appendRow(append(dst, `,"before":`...), c.Before, rowForm{}); err == nil {
		dst, err = p.appendRow(append(dst, `,"after":`...), c.After, rowForm{})
	}
	if err != nil {
		return dst, errorf("encode %s of %s at %s: %w", c.Op, c.Table, c.Pos, err)
	}
	return append(dst, '}'), nil
}

// ParseChange is the inverse of AppendChange, and takes nothing else but white space: the members in that order, none besides. The
// change has a *change.Table of its own and owns its bytes. What it can't read is change.ErrHalt.
func ParseChange(b []byte) (change.Change, error) {
	p := changeParser{s: scanner{b: b}}
	c, err := p.parse()
	if err == nil {
		err = check(&c)
	}
	if err != nil {
		return change.Change{}, errorf("parse change: %w", err)
	}
	return c, nil
}

type changeParser struct {
	s     scanner
	begun bool // a member has been read
	word  []byte
	rows  rowReader
}

var errVersion = errors.New("not version 1 of the self-contained form")

// need passes over the name of the member that has to be next.
func (p *changeParser) need(name string) error {
	ok, err := p.member(name)
	if err == nil && !ok {
		err = p.s.want("member " + name)
	}
	return err
}

// member passes over the name of a member, if it is next.
func (p *changeParser) member(name string) (bool, error) {
	back := p.s.i
	more, err := p.s.next(!p.begun)
	if err != nil {
		return false, err
	}
	if more {
		if p.word, err = p.s.name(p.word); err != nil {
			return false, err
		}
		if string(p.word) == name {
			p.begun = true
			return true, nil
		}
	}
	p.s.i = back
	return false, nil
}

// text reads a member that is a string.
func (p *changeParser) text(name string) (string, error) {
	if err := p.need(name); err != nil {
		return "", err
	}
	var err error
	p.word, err = p.s.text(p.word[:0])
	return string(p.word), err
}

func (p *changeParser) parse() (c change.Change, err error) {
	if !p.s.take('{') {
		return c, p.s.want("an object")
	}
	if err := p.need("v"); err != nil {
		return c, err
	}
	if p.s.peek() != '1' {
		return c, errVersion
	}
	p.s.i++
	unset, err := p.head(&c)
	if err != nil {
		return c, err
	}
	l, err := p.shape()
	if err != nil {
		return c, err
	}
	c.Table = l.table
	var u unsetSet
	if err := u.parse([]byte(unset), len(l.columns)); err != nil {
		return c, err
	}
	if c.Before, err = p.row("before", l, unsetColumns{set: u.before, count: u.beforeCount}); err != nil {
		return c, err
	}
	if c.After, err = p.row("after", l, unsetColumns{set: u.after, count: u.afterCount}); err != nil {
		return c, err
	}
	if !p.s.take('}') {
		return c, p.s.want("}")
	}
	p.rows.finish()
	return c, p.s.end()
}

// head reads what stands before the shape.
func (p *changeParser) head(c *change.Change) (unset string, err error) {
	op, err := p.text("op")
	if err != nil {
		return "", err
	}
	for o := change.Insert; o <= change.NewShape; o++ {
		if o.String() == op {
			c.Op = o
		}
	}
	pos, err := p.text("pos")
	if err != nil {
		return "", err
	}
	if c.Pos, err = change.ParsePosition(pos); err != nil {
		return "", err
	}
	if c.Txn, err = p.txn(); err != nil {
		return "", err
	}
	ok, err := p.member("unset")
	if err != nil || !ok {
		return "", err
	}
	if p.word, err = p.s.text(p.word[:0]); err == nil && len(p.word) == 0 {
		err = errors.New("unset is empty")
	}
	return string(p.word), err
}

// txn reads the transaction, nil where there is none.
func (p *changeParser) txn() (*change.Txn, error) {
	ok, err := p.member("txn")
	if err != nil || !ok {
		return nil, err
	}
	if p.word, err = p.s.text(p.word[:0]); err != nil {
		return nil, err
	}
	t := &change.Txn{ID: string(p.word)}
	if err := p.need("time_us"); err != nil {
		return nil, err
	}
	text, whole, err := p.s.number()
	if err != nil {
		return nil, err
	}
	us, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || !whole {
		return nil, fmt.Errorf("time_us %.64q is no integer", text)
	}
	t.Committed = timeOf(us)
	return t, nil
}

func (p *changeParser) shape() (*layout, error) {
	if err := p.need("shape"); err != nil {
		return nil, err
	}
	if p.s.peek() != '{' {
		return nil, p.s.want("a shape")
	}
	start := p.s.i
	if err := p.s.skip(nil, 0); err != nil {
		return nil, err
	}
	t, err := change.ParseShape(p.s.b[start:p.s.i])
	if err != nil {
		return nil, err
	}
	return newLayout(t)
}

func (p *changeParser) row(name string, l *layout, unset unsetColumns) ([]change.Value, error) {
	if err := p.need(name); err != nil {
		return nil, err
	}
	row, err := p.rows.read(&p.s, l, unset)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return row, nil
}
