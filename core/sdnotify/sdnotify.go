// Package sdnotify tells a service manager, systemd or another that speaks its protocol, what
// this process does: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html.
package sdnotify

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Manager is the service manager. It may be used concurrently, and nil is one that wants to
// be told nothing. What cannot be sent is dropped: a manager that is gone is no reason to end.
type Manager struct {
	addr *net.UnixAddr
	// watchdog is how long the manager waits for a sign of life.
	watchdog time.Duration

	mu sync.Mutex
	// status is the last that was sent.
	status string
	// stopping: to be ready is no news any more.
	stopping bool
}

// New returns the manager that the environment names, or nil. An address that begins with @
// is in Linux' abstract namespace.
func New(getenv func(string) string) *Manager {
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	m := &Manager{addr: &net.UnixAddr{Name: name, Net: "unixgram"}}
	pid := getenv("WATCHDOG_PID")
	if us, err := strconv.ParseUint(getenv("WATCHDOG_USEC"), 10, 32+10); err == nil && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(us) * time.Microsecond
	}
	return m
}

// Ready tells that the process does all its work: at the start, and after a reload.
func (m *Manager) Ready(status string) {
	m.tell(func() []string {
		if m.stopping {
			return nil
		}
		m.status = status
		return []string{"READY=1", "STATUS=" + status}
	})
}

// Reloading tells that the configuration is read again. Ready ends it.
func (m *Manager) Reloading() {
	m.tell(func() []string {
		m.status = "reading the configuration again"
		return append([]string{"RELOADING=1", "STATUS=" + m.status}, monotonic()...)
	})
}

// Stopping tells that the process ends, within that time.
func (m *Manager) Stopping(within time.Duration, status string) {
	m.tell(func() []string {
		m.stopping, m.status = true, status
		return []string{"STOPPING=1", "STATUS=" + status, extend(within)}
	})
}

// Status tells people what the process does, in a line.
func (m *Manager) Status(status string) {
	m.tell(func() []string {
		if m.stopping || status == m.status {
			return nil
		}
		m.status = status
		return []string{"STATUS=" + status}
	})
}

// Extend has the manager wait for that long from now on, if it would wait for less.
func (m *Manager) Extend(d time.Duration) { m.tell(func() []string { return []string{extend(d)} }) }

// Alive is the sign of life that the watchdog waits for.
func (m *Manager) Alive() { m.tell(func() []string { return []string{"WATCHDOG=1"} }) }

// Watchdog is how long the manager waits for a sign of life before it ends the process; zero
// for one that does not wait for any.
func (m *Manager) Watchdog() time.Duration {
	if m == nil {
		return 0
	}
	return m.watchdog
}

func extend(d time.Duration) string { return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", d.Microseconds()) }

// tell sends variables, in the order in which it is called.
func (m *Manager) tell(variables func() []string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := variables()
	if len(lines) == 0 {
		return
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\n", " ")
	}
	conn, err := net.DialUnix(m.addr.Net, nil, m.addr)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // of a manager that does not read
	_, _ = conn.Write([]byte(strings.Join(lines, "\n")))
}
