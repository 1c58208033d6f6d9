// Command gauge holds what the bench needs besides the servers' own tools: it watches a table fill, and measures the limits that a path has
// with the drivers and libraries alone, without our code.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	verbs := map[string]func(context.Context, []string) error{"table": table, "decode": decode, "upsert": upsert, "start": start}
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: gauge table|decode|upsert|start FLAGS")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := verbs[os.Args[1]](ctx, os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "gauge %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// endRows is how many of the highest ids have to be there before all rows are counted: they lie in every partition, and each partition is
// applied in order, so the count comes once and late. They are read from the key's end: by their range alone PostgreSQL, which has no statistics of
// a table that is being filled, reads all of it, again and again, and takes a core from what is measured.
const endRows = 200

// table prints the seconds from the first row in orders to the last.
func table(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("table", flag.ExitOnError)
	target := flags.String("target", "", "URL of the database, postgres://… or mysql://user@host:port/database")
	rows := flags.Int("rows", 0, "how many rows, with ids from 1 on")
	_ = flags.Parse(args) // ExitOnError
	db, err := open(ctx, *target)
	if err != nil {
		return err
	}
	defer db.close()
	fmt.Println("watching")
	until := func(query string, want int) error {
		t := time.NewTicker(10 * time.Millisecond)
		defer t.Stop()
		for {
			n, err := db.number(ctx, query)
			if err != nil {
				return err
			}
			if n >= want {
				return nil
			}
			select {
			case <-t.C:
			case <-ctx.Done():
				return fmt.Errorf("%s: %d, want %d: %w", query, n, want, ctx.Err())
			}
		}
	}
	if err := until("select count(*) from (select 1 from orders limit 1) t", 1); err != nil {
		return err
	}
	begun := time.Now()
	if err := until(fmt.Sprintf("select count(*) from (select id from orders order by id desc limit %d) t where id > %d", endRows, *rows-endRows), endRows); err != nil {
		return err
	}
	if err := until("select count(*) from orders", *rows); err != nil {
		return err
	}
	fmt.Printf("%.2f\n", time.Since(begun).Seconds())
	return nil
}
