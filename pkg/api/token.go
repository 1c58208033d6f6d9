package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tokenFile is the token's name in the state folder; tokenBytes its length before it is written as text.
const (
	tokenFile  = "token"
	tokenBytes = 32
	maxToken   = 4096
)

// ErrNoToken: no process has made a token in that folder yet.
var ErrNoToken = errors.New("no token")

// OpenToken returns the token of a state folder and makes one at the first start, readable by its owner only.
func OpenToken(dir string) (string, error) {
	token, err := ReadToken(dir)
	if !errors.Is(err, ErrNoToken) {
		return token, err
	}
	raw := make([]byte, tokenBytes)
	_, _ = rand.Read(raw) // never fails: it ends the process instead
	token = base64.RawURLEncoding.EncodeToString(raw)
	path := filepath.Join(dir, tokenFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ReadToken(dir)
	}
	if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write token %s: %w", path, err), os.Remove(path))
	}
	return token, nil
}

// ReadToken returns the token of a state folder, or ErrNoToken. A token that others may read is refused.
func ReadToken(dir string) (string, error) {
	path := filepath.Join(dir, tokenFile)
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read token %s: %w", path, ErrNoToken)
	}
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("read token: %s is %s: others may read it; run: chmod 600 %s, or delete it and start again for a new one", path, info.Mode(), path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("read token %s: %w", path, err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < tokenBytes {
		return "", fmt.Errorf("read token: %s is shorter than %d characters; delete it and start again for a new one", path, tokenBytes)
	}
	return token, nil
}

// sameToken compares in a time that says nothing about where they differ, nor about their lengths.
func sameToken(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
