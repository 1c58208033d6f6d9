package codec

import (
	"strconv"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// appendSourceHead appends the part of the source block that all changes of a table share.
func appendSourceHead(dst []byte, t *change.Table, database string) []byte {
	connector, schema := t.Engine, ""
	switch t.Engine {
	case "postgres":
		connector, schema = "postgresql", t.Schema
	case "mysql", "mariadb":
		database = t.Schema
	}
	dst = append(dst, `,"source":{"version":"tailwater.v1","connector":`...)
	dst = change.AppendJSONString(dst, connector)
	dst = change.AppendJSONString(append(dst, `,"name":`...), t.Source)
	dst = change.AppendJSONString(append(dst, `,"db":`...), database)
	if schema != "" {
		dst = change.AppendJSONString(append(dst, `,"schema":`...), schema)
	}
	return change.AppendJSONString(append(dst, `,"table":`...), t.Name)
}

// appendSourceTail appends the rest of it for the transaction of c.
func appendSourceTail(dst []byte, c *change.Change) []byte {
	dst = appendMilli(append(dst, `,"ts_ms":`...), c)
	if c.Txn == nil {
		dst = append(dst, `,"snapshot":"true"`...)
	} else {
		dst = append(dst, `,"snapshot":"false"`...)
	}
	switch c.Table.Engine {
	case "postgres":
		dst = append(dst, `,"txId":`...)
		dst = append(dst, transactionNumber(c.Txn)...)
		dst = append(dst, `,"lsn":`...)
		dst = strconv.AppendUint(dst, c.Pos.Commit, 10)
	case "mysql", "mariadb":
		if c.Txn != nil {
			dst = change.AppendJSONString(append(dst, `,"gtid":`...), c.Txn.ID)
		}
		dst = appendFile(append(dst, `,"file":"`...), c.Pos.Commit>>40)
		dst = strconv.AppendUint(append(dst, `","pos":`...), c.Pos.Commit&(1<<40-1), 10)
	}
	return append(dst, '}')
}

// appendFile appends a file's number as MySQL writes it, with six digits or more.
func appendFile(dst []byte, n uint64) []byte {
	for least := uint64(100_000); n < least && least > 1; least /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, n, 10)
}

// appendMilli appends the transaction's commit time in milliseconds since 1970, rounded down; null where there is none.
func appendMilli(dst []byte, c *change.Change) []byte {
	if c.Txn == nil {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, c.Txn.Committed.UnixMilli(), 10)
}

// transactionNumber returns the xid of a Postgres transaction's id, xid@LSN, as JSON; null where there is none.
func transactionNumber(t *change.Txn) string {
	if t == nil {
		return "null"
	}
	xid, _, _ := strings.Cut(t.ID, "@")
	if n, err := strconv.ParseUint(xid, 10, 64); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return "null"
}

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }
