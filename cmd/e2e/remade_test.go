package e2e

import (
	"testing"
)

// TestRemadeWithNotNull: a table that is dropped and made again with a NOT NULL column which it didn't have. Its rows of before are gone, so none lacks a value.
func TestRemadeWithNotNull(t *testing.T) {
	t.Parallel()
	for _, ends := range [][3]string{{"mysql97", "mariadb118", "direct"}, {"mariadb118", "pg15", "kafka"}, {"pg15", "pg15", "direct"}, {"pg15", "mysql97", "kafka"}} {
		for _, when := range []string{"running", "behind"} {
			t.Run(ends[0]+"/"+ends[1]+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := rigBetween(t, ends[2], newEngine(t, ends[0]), newEngine(t, ends[1]))
				r.source.Exec("create table spa (id int primary key, one int not null)")
				r.source.Exec("insert into spa values (1, 10), (2, 20)")
				r.once()
				var p *process
				if when == "running" {
					p = r.start("run")
					r.source.Exec("insert into spa values (3, 30)")
					r.arrives(p, "select count(*) from spa", "3")
				}
				r.source.Exec("drop table spa")
				r.source.Exec("create table spa (id int primary key, two int not null)")
				r.source.Exec("insert into spa values (4, 400)")
				if p != nil {
					r.arrives(p, "select count(*) from spa where id = 4", "1")
					p.stop()
				}
				r.once()
				if got := r.target.Value("select concat(count(*), '/', max(id), '/', max(two)) from spa"); got != "1/4/400" {
					t.Errorf("the target has %s", got)
				}
			})
		}
	}
}
