package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	lockName = "lock"  // holds the owner's pid, for messages; the lock itself is on the directory
	maxFile  = 1 << 28 // bytes; a checkpoint is far below, and a larger file isn't one of ours
)

// dir is the locked directory. Everything in it is reached through its descriptor, so replacing the path changes nothing.
type dir struct {
	path string
	f    *os.File
}

// openDir makes the directory if it is not there, checks that it is ours, closes it to others and locks it.
func openDir(path string) (*dir, error) {
	if err := makeDir(path); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open state directory %s: %w", path, err)
	}
	d := &dir{path: path, f: os.NewFile(uintptr(fd), path)}
	if err := d.claim(); err != nil {
		return nil, errors.Join(err, d.f.Close())
	}
	return d, nil
}

// makeDir makes what of the path isn't there, each below a parent that is synced: a crash must not take away a directory with what is saved in it.
func makeDir(path string) error {
	path = filepath.Clean(path)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *dir) claim() error {
	if err := checkOwner(d.f); err != nil {
		return err
	}
	if err := d.f.Chmod(0o700); err != nil {
		return fmt.Errorf("close state directory to others: %w", err)
	}
	err := unix.Flock(d.fd(), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("lock state directory %s, pid %s has it: %w", d.path, d.holder(), change.ErrBusy)
	}
	if err != nil {
		return fmt.Errorf("lock state directory %s: %w", d.path, err)
	}
	// The pid is only for the message of the next one who finds the lock held: a full disk must not keep us from starting.
	f, err := d.open(lockName, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	if err = errors.Join(err, f.Close()); err != nil && !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return nil
}

// checkOwner refuses what belongs to another user: whoever owns a checkpoint decides what we skip.
func checkOwner(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("stat %s: %w", f.Name(), err)
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to uid %d, we run as %d; chown it or run as its owner: %w", f.Name(), st.Uid, os.Geteuid(), change.ErrPreflight)
	}
	return nil
}

func (d *dir) fd() int { return int(d.f.Fd()) }

// holder is the pid that the lock's owner wrote, or "unknown".
func (d *dir) holder() string {
	b, err := d.read(lockName)
	pid := strings.TrimSpace(string(b))
	if err != nil || pid == "" {
		return "unknown"
	}
	return pid
}

// open opens a file of the directory itself, never through a link.
func (d *dir) open(name string, flags int) (*os.File, error) {
	path := filepath.Join(d.path, name)
	fd, err := unix.Openat(d.fd(), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	if err := checkOwner(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", path, change.ErrPreflight)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d *dir) read(name string) ([]byte, error) {
	f, err := d.open(name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return b, nil
}

// write makes a file and syncs it; on an error nothing of it stays.
func (d *dir) write(name string, b []byte) error {
	f, err := d.open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.remove(name))
	}
	return nil
}

func (d *dir) rename(from, to string) error {
	if err := unix.Renameat(d.fd(), from, d.fd(), to); err != nil {
		return fmt.Errorf("rename %s to %s: %w", from, to, err)
	}
	return d.sync()
}

// remove takes a file away; none there is no error.
func (d *dir) remove(name string) error {
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove %s: %w", filepath.Join(d.path, name), err)
	}
	return nil
}

func (d *dir) sync() error {
	if err := d.f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", d.path, err)
	}
	return nil
}

func (d *dir) close() error { return d.f.Close() }
