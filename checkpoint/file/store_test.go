package file_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/checkpoint/checkpointtest"
	"github.com/tailwater-cdc/tailwater/checkpoint/file"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"golang.org/x/sys/unix"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, func(t *testing.T) func() checkpoint.Store {
		dir := filepath.Join(t.TempDir(), "state")
		return func() checkpoint.Store { return open(t, dir) }
	})
}

func open(t *testing.T, dir string) *file.Store {
	t.Helper()
	s, err := file.Open(dir)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// prepared makes a directory with n generations of pipeline "p" and returns it with what was saved, newest last.
func prepared(t *testing.T, n int) (string, []checkpoint.Record) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	r := checkpoint.Record{}
	var all []checkpoint.Record
	for i := range n {
		next := checkpointtest.Sample("p", uint64(100+i))
		next.Generation = r.Generation
		var err error
		if r, err = s.Save(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return dir, all
}

func slotOf(dir string, r checkpoint.Record) string {
	return filepath.Join(dir, "p."+strconv.FormatUint(r.Generation%2, 10)+".checkpoint")
}

// afterFallback is what Load makes of a generation when it can't see the other one.
func afterFallback(r checkpoint.Record) checkpoint.Record {
	r.Released, r.ReleasedUpto = r.Resume, r.Upto
	return r
}

func TestDamageFallsBackAndIsNeverNotFound(t *testing.T) {
	t.Parallel()
	damages := []struct {
		name string
		at   func(whole []byte, i int) []byte
	}{
		{"torn", func(b []byte, i int) []byte { return b[:i] }},
		{"bit flipped", func(b []byte, i int) []byte { b[i] ^= 1 << (i % 8); return b }},
		{"lowest bit flipped", func(b []byte, i int) []byte { b[i] ^= 1; return b }},
		{"second bit flipped", func(b []byte, i int) []byte { b[i] ^= 2; return b }},
		{"zeroed to the end", func(b []byte, i int) []byte { clear(b[i:]); return b }},
	}
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			dir, all := prepared(t, 3)
			older, newest := all[1], all[2]
			s := open(t, dir)
			defer s.Close()
			damage(t, slotOf(dir, newest), d.at, func(i int) { mustLoad(t, s, afterFallback(older), i) })
			damage(t, slotOf(dir, older), d.at, func(i int) { mustLoad(t, s, afterFallback(newest), i) })
			spoil(t, slotOf(dir, older))
			damage(t, slotOf(dir, newest), d.at, func(i int) {
				if _, err := s.Load(t.Context(), "p"); !errors.Is(err, checkpoint.ErrCorrupt) {
					t.Fatalf("both damaged, at byte %d: %v, want ErrCorrupt", i, err)
				}
			})
		})
	}
}

// damage writes every damaged form of a file in turn, calls check for each, and puts the whole one back.
func damage(t *testing.T, path string, at func([]byte, int) []byte, check func(i int)) {
	t.Helper()
	whole := read(t, path)
	for i := range whole {
		write(t, path, at(append([]byte(nil), whole...), i))
		check(i)
	}
	write(t, path, whole)
}

func mustLoad(t *testing.T, s *file.Store, want checkpoint.Record, i int) {
	t.Helper()
	got, err := s.Load(t.Context(), "p")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("at byte %d: loaded %+v, %v; want %+v", i, got, err, want)
	}
}

func spoil(t *testing.T, path string) { t.Helper(); write(t, path, []byte("spoiled")) }

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheOnlyGenerationTornIsCorrupt(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 1)
	s := open(t, dir)
	defer s.Close()
	damage(t, slotOf(dir, all[0]), func(b []byte, i int) []byte { return b[:i] }, func(i int) {
		if _, err := s.Load(t.Context(), "p"); !errors.Is(err, checkpoint.ErrCorrupt) {
			t.Fatalf("at byte %d: %v, want ErrCorrupt", i, err)
		}
	})
}

func TestSavesGoOnAfterAFallback(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 3)
	spoil(t, slotOf(dir, all[2]))
	s := open(t, dir)
	defer s.Close()
	r, err := s.Load(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if r, err = s.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, s, r, 0)
}

func TestAMissingOlderGenerationIsTakenForALostNewerOne(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 4)
	if err := os.Remove(slotOf(dir, all[3])); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer s.Close()
	mustLoad(t, s, afterFallback(all[2]), 0)
}

func TestALaterFormatIsNeitherDamageNorNotFound(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 2)
	path := slotOf(dir, all[1])
	_, body, _ := strings.Cut(string(read(t, path)), "\n")
	sum := sha256.Sum256([]byte("002\n" + body))
	write(t, path, fmt.Appendf(nil, "tailwater-checkpoint 002 %x %010d\n%s", sum, len(body), body))
	s := open(t, dir)
	defer s.Close()
	if _, err := s.Load(t.Context(), "p"); !errors.Is(err, change.ErrPreflight) {
		t.Fatalf("load of version 2: %v, want ErrPreflight", err)
	}
}

func TestAnotherPipelinesFileIsDamage(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 1)
	if err := os.Rename(slotOf(dir, all[0]), filepath.Join(dir, "q.1.checkpoint")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer s.Close()
	if _, err := s.Load(t.Context(), "q"); !errors.Is(err, checkpoint.ErrCorrupt) {
		t.Fatalf("load: %v, want ErrCorrupt", err)
	}
}

func TestALeftoverOfAnUnfinishedSaveIsIgnored(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 2)
	spoil(t, filepath.Join(dir, "p.tmp"))
	s := open(t, dir)
	defer s.Close()
	mustLoad(t, s, all[1], 0)
	if _, err := s.Save(t.Context(), all[1]); err != nil {
		t.Fatal(err)
	}
}

func TestASecondStoreIsBusyAndNamesThePid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	_, err := file.Open(dir)
	if !errors.Is(err, change.ErrBusy) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Fatalf("second open: %v, want ErrBusy with pid %d", err, os.Getpid())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOthersCannotReadAndLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 2)
	for path, want := range map[string]os.FileMode{dir: 0o700, slotOf(dir, all[0]): 0o600, slotOf(dir, all[1]): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if s, err := file.Open(link); err == nil {
		s.Close()
		t.Error("opened through a symbolic link")
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(slotOf(dir, all[1]), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, slotOf(dir, all[1])); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer s.Close()
	if r, err := s.Load(t.Context(), "p"); err == nil || errors.Is(err, checkpoint.ErrNotFound) {
		t.Errorf("a linked checkpoint was read: %+v, %v", r, err)
	}
}

func TestAnUnreadableFileIsNeverNotFound(t *testing.T) {
	t.Parallel()
	dir, all := prepared(t, 1)
	path := slotOf(dir, all[0])
	if os.Geteuid() == 0 { // root reads everything: what belongs to another user is refused instead
		if err := os.Chown(path, 12345, 12345); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer s.Close()
	if _, err := s.Load(t.Context(), "p"); err == nil || errors.Is(err, checkpoint.ErrNotFound) {
		t.Fatalf("load: %v, want an error that is not ErrNotFound", err)
	}
	if _, err := s.Save(t.Context(), checkpointtest.Sample("p", 1)); err == nil {
		t.Fatal("saved over a checkpoint that can't be read")
	}
}

func TestAnotherUsersDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Open(dir); !errors.Is(err, change.ErrPreflight) {
		t.Fatalf("open: %v, want ErrPreflight", err)
	}
}

func TestAFullDiskKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no tmpfs here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	s := open(t, dir)
	defer s.Close()
	r, err := s.Save(t.Context(), checkpointtest.Sample("p", 1))
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk isn't full: %v", err)
	}
	next := r
	next.Resume = "next"
	if _, err := s.Save(t.Context(), next); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("save on a full disk: %v, want ENOSPC", err)
	}
	mustLoad(t, s, r, 0)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if next, err = s.Save(t.Context(), next); err != nil {
		t.Fatalf("save after room was made: %v", err)
	}
	mustLoad(t, s, next, 0)
}

func TestTextThatJSONWouldChangeIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	bad := checkpointtest.Sample("p", 1)
	bad.Resume = "\xff"
	for _, r := range []checkpoint.Record{bad, checkpointtest.Sample("\xff", 1)} {
		if _, err := s.Save(t.Context(), r); !errors.Is(err, change.ErrHalt) {
			t.Errorf("save: %v, want ErrHalt", err)
		}
	}
}
