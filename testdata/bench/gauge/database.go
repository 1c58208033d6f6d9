package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// database is a target by its plain driver.
type database struct {
	pg *pgx.Conn
	my *sql.DB
}

func open(ctx context.Context, url string) (*database, error) {
	rest, ok := strings.CutPrefix(url, "mysql://")
	if !ok {
		conn, err := pgx.Connect(ctx, url)
		return &database{pg: conn}, err
	}
	user, rest, _ := strings.Cut(rest, "@")
	host, name, _ := strings.Cut(rest, "/")
	db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(%s)/%s?interpolateParams=true&maxAllowedPacket=0", user, host, name))
	if err == nil {
		db.SetMaxOpenConns(1)
		err = db.PingContext(ctx)
	}
	return &database{my: db}, err
}

func (d *database) close() {
	if d.pg != nil {
		_ = d.pg.Close(context.Background()) // the process ends
		return
	}
	_ = d.my.Close()
}

func (d *database) number(ctx context.Context, query string) (n int, err error) {
	if d.pg != nil {
		err = d.pg.QueryRow(ctx, query).Scan(&n)
		return n, err
	}
	err = d.my.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}
