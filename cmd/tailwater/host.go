package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
)

// What this host should have: so much room for checkpoints, a sync no slower, so many files.
const (
	enoughRoom  = 64 << 20
	slowSync    = 50 * time.Millisecond
	enoughFiles = 1024
)

// examineHost looks at the state folder and the process's limits. In the folder it makes one file and takes it away again.
func examineHost(cfg *config.Config) []preflight.Finding {
	out := []preflight.Finding{examineFiles()}
	dir := cfg.Server.StateDir
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return append(out, examineParent(dir))
	}
	if err != nil || !info.IsDir() {
		return append(out, preflight.Finding{Check: "host.state_dir", Severity: preflight.Error, Summary: fmt.Sprintf("%s is no folder that can be read: %v", dir, err), Fix: "name another server.state_dir"})
	}
	return append(out, examineOwner(dir, info), examineRoom(dir), examineSync(dir), examineToken(dir))
}

func examineParent(dir string) preflight.Finding {
	parent := filepath.Dir(filepath.Clean(dir))
	for {
		if _, err := os.Stat(parent); err == nil || parent == filepath.Dir(parent) {
			break
		}
		parent = filepath.Dir(parent)
	}
	if unix.Access(parent, unix.W_OK|unix.X_OK) != nil {
		return preflight.Finding{Check: "host.state_dir", Severity: preflight.Error, Summary: dir + " doesn't exist and can't be made in " + parent, Fix: fmt.Sprintf("install -d -m 700 -o %d %s", os.Geteuid(), dir)}
	}
	return preflight.Finding{Check: "host.state_dir", Severity: preflight.OK, Summary: dir + " is made at the first start"}
}

func examineOwner(dir string, info fs.FileInfo) preflight.Finding {
	f := preflight.Finding{Check: "host.state_dir", Severity: preflight.OK, Summary: dir + " is ours"}
	var st unix.Stat_t
	switch err := unix.Stat(dir, &st); {
	case err != nil:
		f.Severity, f.Summary = preflight.Error, fmt.Sprintf("stat %s: %v", dir, err)
	case int(st.Uid) != os.Geteuid():
		f.Severity, f.Summary, f.Fix = preflight.Error, fmt.Sprintf("%s belongs to uid %d, this is uid %d", dir, st.Uid, os.Geteuid()), fmt.Sprintf("chown -R %d %s", os.Geteuid(), dir)
	case info.Mode().Perm()&0o077 != 0:
		f.Severity, f.Summary, f.Fix = preflight.Warn, fmt.Sprintf("%s is open to others (%s); the next start closes it", dir, info.Mode().Perm()), "chmod 700 "+dir
	}
	return f
}

func examineRoom(dir string) preflight.Finding {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return preflight.Finding{Check: "host.free_space", Severity: preflight.Error, Summary: fmt.Sprintf("statfs %s: %v", dir, err)}
	}
	free := int64(st.Bavail) * st.Bsize
	f := preflight.Finding{Check: "host.free_space", Severity: preflight.OK, Summary: bytesText(free) + " free in " + dir}
	if free < enoughRoom {
		f.Severity, f.Fix = preflight.Error, "free at least "+bytesText(enoughRoom)
	}
	return f
}

func examineSync(dir string) preflight.Finding {
	f := preflight.Finding{Check: "host.fsync", Severity: preflight.OK}
	tmp, err := os.CreateTemp(dir, ".doctor-*")
	if err == nil {
		begun := time.Now()
		_, writeErr := tmp.WriteString("x")
		err = errors.Join(writeErr, tmp.Sync(), tmp.Close(), os.Remove(tmp.Name()))
		took := time.Since(begun)
		f.Summary = fmt.Sprintf("a sync takes %s", took.Round(time.Microsecond))
		if took > slowSync {
			f.Severity, f.Fix = preflight.Warn, "put server.state_dir on a faster disk: a checkpoint waits for two syncs"
		}
	}
	if err != nil {
		f.Severity, f.Summary, f.Fix = preflight.Error, fmt.Sprintf("write in %s: %v", dir, err), "let us write in server.state_dir"
	}
	return f
}

func examineToken(dir string) preflight.Finding {
	if _, err := api.ReadToken(dir); err != nil && !errors.Is(err, api.ErrNoToken) {
		return preflight.Finding{Check: "host.token", Severity: preflight.Error, Summary: err.Error(), Fix: "chmod 600 " + filepath.Join(dir, "token")}
	}
	return preflight.Finding{Check: "host.token", Severity: preflight.OK, Summary: "the API token is only ours to read, or not made yet"}
}

func examineFiles() preflight.Finding {
	var limit unix.Rlimit
	f := preflight.Finding{Check: "host.open_files", Severity: preflight.OK}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		f.Severity, f.Summary = preflight.Warn, fmt.Sprintf("the limit of open files can't be read: %v", err)
		return f
	}
	f.Summary = fmt.Sprintf("%d files may be open", limit.Cur)
	if limit.Cur < enoughFiles {
		f.Severity, f.Fix = preflight.Warn, fmt.Sprintf("ulimit -n %d", enoughFiles)
	}
	return f
}
