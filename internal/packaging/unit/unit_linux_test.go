// Package unit holds examples/systemd to what it promises. There is no systemd here that could
// run the unit: what it sets is set by the kernel's own means, as its text says.
package unit

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// examples is where the unit and its companions are.
const examples = "../../../examples/systemd/"

func TestMain(m *testing.M) {
	if spec := os.Getenv(stageVariable); spec != "" {
		os.Exit(runStage(spec))
	}
	os.Exit(m.Run())
}

// need skips a test without root or a program, unless these are required.
func need(t *testing.T, programs ...string) {
	t.Helper()
	missing := ""
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = p + " is not installed"
		}
	}
	if os.Getuid() != 0 {
		missing = "it needs root"
	}
	switch wanted := os.Getenv("TEST_PACKAGING"); {
	case wanted == "":
		t.Skip("tests of what is shipped run with TEST_PACKAGING=required")
	case missing != "" && wanted == "required":
		require.Fail(t, missing)
	case missing != "":
		t.Skip(missing)
	}
}

// settings are those of a unit: all values of each key, in order.
type settings map[string][]string

// readUnit reads the settings of a unit; systemd judges the form.
func readUnit(t *testing.T, name string) settings {
	t.Helper()
	text, err := os.ReadFile(examples + name)
	require.NoError(t, err)
	unit := settings{}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	return unit
}

// only is the value of a key that is set once.
func (s settings) only(t *testing.T, key string) string {
	t.Helper()
	require.Len(t, s[key], 1, key)
	return s[key][0]
}

func systemdAnalyze(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("systemd-analyze", args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestUnitIsHardened(t *testing.T) {
	t.Parallel()
	need(t, "systemd-analyze")
	for _, name := range []string{"hookarr.service", "hookarr-backup.service"} {
		out := systemdAnalyze(t, "security", "--offline=true", "--no-pager", "--threshold=15", examples+name)
		found := regexp.MustCompile(`Overall exposure level for ` + name + `: ([0-9.]+)`).FindStringSubmatch(out)
		require.Len(t, found, 2, out)
		t.Log(found[0])
	}
}

func TestUnitIsWellFormed(t *testing.T) {
	t.Parallel()
	need(t, "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles")
	dir := t.TempDir()
	program := filepath.Join(dir, "hookarr") // systemd looks whether there is one
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755))
	verify := []string{"verify", "--man=no"}
	for _, name := range []string{"hookarr.service", "hookarr-backup.service", "hookarr-backup.timer"} {
		text, err := os.ReadFile(examples + name)
		require.NoError(t, err)
		copied := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(copied, bytes.ReplaceAll(text, []byte("/usr/bin/hookarr"), []byte(program)), 0o600))
		verify = append(verify, copied)
	}
	require.Empty(t, systemdAnalyze(t, verify...))
	require.NotEmpty(t, systemdAnalyze(t, "calendar", readUnit(t, "hookarr-backup.timer").only(t, "OnCalendar")))

	unit := readUnit(t, "hookarr.service")
	stop, err := time.ParseDuration(unit.only(t, "TimeoutStopSec"))
	require.NoError(t, err)
	require.Greater(t, stop, 50*time.Second, "shutdown.drain is 30s, and the end takes up to 20s besides")
}

// makeUser makes the user and the directories in a root directory.
func makeUser(t *testing.T, root string) (uid, gid int) {
	t.Helper()
	users := []string{"systemd-sysusers", "--root=" + root, absolute(t, examples+"hookarr.sysusers")}
	files := []string{"systemd-tmpfiles", "--root=" + root, "--create", absolute(t, examples+"hookarr.tmpfiles")}
	for _, c := range [][]string{users, files, users, files} { // as upgrades do it again
		out, err := exec.Command(c[0], c[1:]...).CombinedOutput()
		require.NoError(t, err, "%s: %s", c[0], out)
	}
	passwd, err := os.Open(filepath.Join(root, "etc/passwd"))
	require.NoError(t, err)
	defer func() { require.NoError(t, passwd.Close()) }()
	for lines := bufio.NewScanner(passwd); lines.Scan(); {
		if fields := strings.Split(lines.Text(), ":"); fields[0] == "hookarr" {
			uid, err = strconv.Atoi(fields[2])
			require.NoError(t, err)
			gid, err = strconv.Atoi(fields[3])
			require.NoError(t, err)
		}
	}
	require.NotZero(t, uid)
	return uid, gid
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// allowedCalls are the system calls that the unit's filter lets through, by their numbers.
func allowedCalls(t *testing.T, unit settings) []uint32 {
	t.Helper()
	sets := map[string][]string{}
	name := ""
	for line := range strings.Lines(systemdAnalyze(t, "syscall-filter", "--no-pager")) {
		switch text := strings.TrimSpace(line); {
		case text == "" || strings.HasPrefix(text, "#"):
		case strings.HasPrefix(line, "@"):
			name = text
		case strings.HasPrefix(line, " "):
			sets[name] = append(sets[name], text)
		}
	}
	allowed := map[string]bool{}
	var change func(name string, to bool)
	change = func(name string, to bool) {
		if strings.HasPrefix(name, "@") {
			require.NotEmpty(t, sets[name], name)
			for _, member := range sets[name] {
				change(member, to)
			}
			return
		}
		allowed[name] = to
	}
	for _, value := range unit["SystemCallFilter"] {
		list, denied := strings.CutPrefix(value, "~")
		for name := range strings.FieldsSeq(list) {
			change(name, !denied)
		}
	}
	var calls []uint32
	for name, number := range callNumbers(t) {
		if allowed[name] {
			calls = append(calls, number)
		}
	}
	require.Greater(t, len(calls), 200)
	slices.Sort(calls)
	return calls
}

var callNumber = regexp.MustCompile(`(?m)^\tSYS_(\w+)\s+= (\d+)$`)

// callNumbers are those of this architecture.
func callNumbers(t *testing.T) map[string]uint32 {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}} {{context.GOARCH}}", "golang.org/x/sys/unix").Output()
	require.NoError(t, err)
	at, arch, _ := strings.Cut(strings.TrimSpace(string(dir)), " ")
	text, err := os.ReadFile(filepath.Join(at, "zsysnum_linux_"+arch+".go"))
	require.NoError(t, err)
	numbers := map[string]uint32{}
	for _, found := range callNumber.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseUint(found[2], 10, 32)
		require.NoError(t, err)
		numbers[strings.ToLower(found[1])] = uint32(n)
	}
	require.NotEmpty(t, numbers)
	return numbers
}
