package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

type postgres struct{ *testenv.PG }

func (p *postgres) name() string { return p.Database }

func (p *postgres) seed(rows int) {
	p.Exec(`
create table acct (id bigint primary key, ver bigint not null, owner text not null, note text);
create table doc (k text, part int, ver bigint not null, body text, primary key (k, part));
create table hist (what text not null, n bigint not null);
create table seq (worker int primary key, n bigint not null);
`)
	p.Exec(fmt.Sprintf(`insert into acct select g, 0, 'seed ' || g, repeat('x', 40) from generate_series(1, %d) g`, rows))
	p.Exec(fmt.Sprintf(`insert into doc select 'd' || g, g %% 3, 0, string_agg(md5(g || ' ' || i), '') from generate_series(1, %d) g, generate_series(1, 120) i group by g`, rows/20))
	p.Exec(fmt.Sprintf(`insert into hist select 'seed', g / 2 from generate_series(1, %d) g`, rows/10))
	p.Exec(fmt.Sprintf(`insert into seq select g, 0 from generate_series(1, %d) g`, workers))
}

func (p *postgres) upsert(table, values, key, set string) string {
	return fmt.Sprintf("insert into %s values (%s) on conflict (%s) do update set %s;", table, values, key, set)
}

func (p *postgres) source() string {
	return fmt.Sprintf(`type: postgres
      url: %q
      slot: { name: %s, create: true }
      publication: { name: %s, create: true }
      tables: { include: ["public.*"] }`, p.URL, p.Database, p.Database)
}

func (p *postgres) sink() string {
	return fmt.Sprintf("type: postgres, url: %q, schema: public", p.URL)
}

func (p *postgres) schema() string { return "public" }

func (p *postgres) has(table string) bool {
	return p.Value(fmt.Sprintf("select to_regclass('public.%s') is not null", table)) == "t"
}

func (p *postgres) released() (uint64, bool) {
	n, err := strconv.ParseUint(p.Value(fmt.Sprintf("select confirmed_flush_lsn - '0/0'::pg_lsn from pg_replication_slots where slot_name = '%s'", p.Database)), 10, 64)
	return n, err == nil
}

func (p *postgres) address(rec checkpoint.Record) (uint64, error) {
	var resume struct {
		LSN string `json:"lsn"`
	}
	if err := json.Unmarshal([]byte(rec.Resume), &resume); err != nil {
		return 0, err
	}
	var high, low uint64
	_, err := fmt.Sscanf(resume.LSN, "%X/%X", &high, &low)
	return high<<32 | low, err
}

func (p *postgres) session(ctx context.Context) (session, error) {
	conn, err := pgx.Connect(ctx, p.URL)
	return &pgSession{conn}, err
}

type pgSession struct{ conn *pgx.Conn }

func (s *pgSession) run(ctx context.Context, sql string) (uint64, bool, error) {
	if err := s.conn.PgConn().Exec(ctx, sql).Close(); err != nil {
		return 0, false, err
	}
	var lsn int64
	err := s.conn.QueryRow(ctx, "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").Scan(&lsn)
	return uint64(lsn), true, err
}

func (s *pgSession) close() { s.conn.Close(context.Background()) }
