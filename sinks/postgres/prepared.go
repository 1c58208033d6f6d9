package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxPrepared is how many statements that write whole rows a session keeps prepared. For a row or two, to parse and plan one takes longer than to run
// it; but each takes some of the server's memory, and there may be one for each shape.
const maxPrepared = 64

// preparedKey is the entry of a session's CustomData that has the names of its prepared statements, by their SQL.
const preparedKey = "tailwater_prepared"

// preparedName is the name under which a session prepares sql.
func preparedName(pg *pgconn.PgConn, sql string) string {
	names, _ := pg.CustomData()[preparedKey].(map[string]string)
	if names == nil {
		names = make(map[string]string)
		pg.CustomData()[preparedKey] = names
	}
	name, ok := names[sql]
	if !ok {
		name = "tailwater_put_" + strconv.Itoa(len(names))
		names[sql] = name
	}
	return name
}

// forgetPrepared makes room for others once there are maxPrepared. The session is in no transaction.
func forgetPrepared(ctx context.Context, pg *pgconn.PgConn) error {
	known := pg.CustomData()
	names, _ := known[preparedKey].(map[string]string)
	if len(names) < maxPrepared {
		return nil
	}
	var sql strings.Builder
	for _, name := range names {
		if known[name] != nil { // not one whose statement failed
			sql.WriteString("DEALLOCATE " + name + ";")
			delete(known, name)
		}
	}
	delete(known, preparedKey)
	return pg.Exec(ctx, sql.String()).Close()
}
