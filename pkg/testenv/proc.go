package testenv

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func signal(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to %d: %w", sig, pid, err)
	}
	return nil
}

// state is a process' letter in /proc/{pid}/stat, or 'X' where there is none.
func state(pid int) (byte, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 'X', nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at process %d: %w", pid, err)
	}
	// The name before it may hold spaces and parentheses.
	rest := strings.TrimSpace(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if rest == "" {
		return 0, fmt.Errorf("look at process %d: stat is %q", pid, stat)
	}
	return rest[0], nil
}

func gone(state byte) bool    { return state == 'X' || state == 'Z' }
func stopped(state byte) bool { return state == 'T' || gone(state) }

// awaitState waits until the kernel has carried out a signal.
func awaitState(pid int, reached func(state byte) bool) error {
	for end := time.Now().Add(cleanupLimit); ; {
		now, err := state(pid)
		if err != nil {
			return err
		}
		if reached(now) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("process %d is in state %c after %s", pid, now, cleanupLimit)
		}
		<-time.After(waitFirst)
	}
}

func childrenOf(pid int) ([]int, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, fmt.Errorf("list the children of %d: %w", pid, err)
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("list the children of %d: it is gone, or this kernel has no /proc/PID/task/TID/children", pid)
	}
	var children []int
	for _, task := range tasks {
		list, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread ended
		}
		if err != nil {
			return nil, fmt.Errorf("list the children of %d: %w", pid, err)
		}
		for field := range strings.FieldsSeq(string(list)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("list the children of %d: %w", pid, err)
			}
			children = append(children, child)
		}
	}
	return children, nil
}

// guard is a shell that outlives the test binary's death and then ends the server and removes its folder: its standard
// input ends with us. A parent death signal would not do: PostgreSQL's launcher changes user, which clears it.
type guard struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

const guardScript = `read -r line && exit
kill -STOP "$1"
children=$(cat /proc/"$1"/task/*/children)
kill -KILL $children "$1"
rm -rf "$2"`

func watch(pid int, dir string) (*guard, error) {
	cmd := exec.Command("/bin/sh", "-c", guardScript, "sh", strconv.Itoa(pid), dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("watch over %d: %w", pid, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("watch over %d: %w", pid, err)
	}
	return &guard{cmd, input}, nil
}

// dismiss sends the guard away once its server has ended.
func (g *guard) dismiss() {
	if g == nil {
		return
	}
	io.WriteString(g.input, "done\n") // an error says that it is gone already
	g.cmd.Wait()
}

// freePort returns a port that nobody listens on, below those the kernel gives to outgoing connections.
func freePort() (int, error) {
	var err error
	for range 200 {
		port := 20000 + rand.IntN(12000)
		if err = listen(port); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

// listen tries whether a server could bind to the port.
func listen(port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return listener.Close()
}
