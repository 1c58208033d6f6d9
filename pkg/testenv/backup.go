package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Backup is a copy of a server's data folder: slots, binlogs and identity, too.
type Backup struct{ dir string }

// Backup stops the server, copies its data and starts it again.
func (p *Process) Backup() *Backup {
	p.t.Helper()
	dir, err := os.MkdirTemp(p.Dir, "backup-")
	if err != nil {
		p.t.Fatalf("make a folder for a backup: %v", err)
	}
	p.Stop()
	p.copy(p.data(), dir)
	p.Start()
	return &Backup{dir: dir}
}

// Restore stops the server if it runs, puts back the data as they were at the backup, and starts it: the same identity
// (Postgres's system identifier and timeline, MySQL's server_uuid), an older end of the log, slots where they were.
func (p *Process) Restore(b *Backup) {
	p.t.Helper()
	if p.Running() {
		p.Stop()
	}
	if err := os.RemoveAll(p.data()); err != nil {
		p.t.Fatalf("remove the data: %v", err)
	}
	p.copy(filepath.Join(b.dir, "data"), p.Dir)
	p.Start()
}

func (p *Process) data() string { return filepath.Join(p.Dir, "data") }

// copy copies a folder into another with owners, modes and times.
func (p *Process) copy(from, into string) {
	p.t.Helper()
	if out, err := exec.CommandContext(p.t.Context(), "cp", "-a", from, into).CombinedOutput(); err != nil {
		p.t.Fatalf("copy %s: %v\n%s", from, err, out)
	}
}
