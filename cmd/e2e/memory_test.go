package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// mostMemory is what a process with memory_limit: 64MiB may ever have had resident: less than any of the transactions below takes, decoded. It is
// above the limit because what the garbage collector has not got to yet is resident too.
const mostMemory = 256 << 20

// TestTransactionsLargerThanMemory: memory is bounded by bytes whatever a transaction's size (invariant 9), and both ends are equal.
func TestTransactionsLargerThanMemory(t *testing.T) {
	path := lean(t)
	cases := []struct{ name, one string }{
		{"many rows", "insert into big select g, repeat(md5(g::text), 6) from generate_series(1, 800000) g"},
		{"rows of a mebibyte", "insert into big select g, repeat(md5(g::text), 32768) from generate_series(1, 300) g"},
	}
	for _, c := range cases { // one after the other: each for itself is what is measured
		for _, stream := range []string{"direct", "kafka"} {
			t.Run(c.name+" "+stream, func(t *testing.T) {
				r := newRig(t, stream)
				r.source.Exec("create table big (id bigint primary key, note text)")
				r.source.Exec("alter table big alter note set storage external")
				r.write()
				r.serve("memory_limit: 64MiB")
				p := beginAs(t, path, r.dir, "run")
				r.source.Exec("insert into big values (-1, 'first')")
				r.arrives(p, "select count(*) from big", "1") // what comes now comes by the log
				r.source.Exec(c.one)
				r.source.Exec("insert into big values (0, 'last')")
				r.arrives(p, "select count(*) from big where id = 0", "1")
				r.sameDigest(p, "big")
				if most := peak(t, p); most > mostMemory {
					t.Errorf("the process had %d MiB resident, want at most %d", most>>20, mostMemory>>20)
				} else {
					t.Logf("%d MiB resident at most", most>>20)
				}
				p.stop()
				if said := p.out.String() + p.err.String(); stream == "direct" && !strings.Contains(said, "in parts") {
					t.Errorf("nothing was said of a transaction that is applied in parts:\n%s", p.tail())
				}
			})
		}
	}
}

// lean is a build without the race detector, which takes several times the memory and the time.
func lean(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tailwater")
	if out, err := exec.Command("go", "build", "-o", path, "../tailwater").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// serve writes more keys of the server's part into the config file.
func (r *rig) serve(keys string) {
	r.t.Helper()
	path := filepath.Join(r.dir, "tailwater.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	limited := strings.Replace(string(text), "server: {", "server: { "+keys+",", 1)
	if err := os.WriteFile(path, []byte(limited), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// sameDigest waits until both ends of a table are equal, by one number for all rows: they are too many to be held against each other.
func (r *rig) sameDigest(p *process, table string) {
	r.t.Helper()
	r.arrives(p, r.target.digest(table), r.source.Value(r.source.digest(table)))
}

// peak is the most memory that a running process has had resident.
func peak(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after + " ?")[0])
	if err != nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	return kib << 10
}
