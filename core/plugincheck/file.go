package plugincheck

import (
	"bytes"
	"context"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/sdk/host"
)

// beforeStart are the rows before there is a process to talk to, and that of its start.
func (c *check) beforeStart() []step {
	return []step{
		{"file", c.lookAtFile},
		{"by-hand", c.runByHand},
		{"handshake", c.shakeHands},
		c.talk("private", c.tryWithoutCertificate),
	}
}

func (c *check) lookAtFile(context.Context) (string, error) {
	err := c.judgeFile()
	if err != nil {
		c.noStart = "the file cannot be started"
		return "", err
	}
	b := pluginhost.Binary{Path: c.path}
	if c.report.SHA256, err = b.Checksum(); err != nil {
		return "", err
	}
	return "its name, mode and format are those of a plugin", nil
}

// judgeFile says what is wrong with the file, and the command that mends it.
func (c *check) judgeFile() error {
	info, err := os.Stat(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: give the path of the plugin's binary", c.path)
	case err != nil:
		return fmt.Errorf("look at the file: %w", err)
	case info.IsDir():
		return fmt.Errorf("%s is a directory: give the binary that is in it, %s", c.path, filepath.Join(c.path, "hookarr-KIND-NAME"))
	}
	b, err := pluginhost.BinaryAt(c.path)
	if err != nil {
		return err
	}
	c.report.Kind, c.report.Name = b.Kind, b.Name
	// What cannot run says more than that its mode is wrong.
	if err := judgeFormat(c.path, info); err != nil {
		return err
	}
	return b.Err
}

// judgeFormat says why the system could not execute a file.
func judgeFormat(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return nil // the mode says it
	}
	if info.Size() == 0 {
		return fmt.Errorf("%s is empty: run go build -o %s . again", path, shell.Command(path))
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil // the mode says it
	}
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read the file: %w", err)
	}
	head = head[:n]
	build := fmt.Sprintf("GOOS=%s GOARCH=%s go build -o %s .", runtime.GOOS, runtime.GOARCH, shell.Command(path))
	var is string
	fits := false
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return judgeScript(path, head)
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		is, fits = judgeELF(f)
	case isMachO(f):
		is, fits = "a program for macOS", runtime.GOOS == "darwin"
	case isPE(f):
		is, fits = "a program for Windows", runtime.GOOS == "windows"
	case isText(head):
		return fmt.Errorf("%s is a text: if it is a script, its first line has to name what runs it, such as #!/usr/bin/node", path)
	default:
		is = "in no format that this system knows"
	}
	if !fits {
		return fmt.Errorf("%s is %s, and this is %s/%s: build it for this system, in Go with %s", path, is, runtime.GOOS, runtime.GOARCH, build)
	}
	return nil
}

func judgeELF(f *os.File) (is string, fits bool) {
	header, err := elf.NewFile(f)
	if err != nil {
		return "a damaged program for Linux", false
	}
	machines := map[string]elf.Machine{
		"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "arm": elf.EM_ARM, "386": elf.EM_386, "riscv64": elf.EM_RISCV,
		"ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390, "loong64": elf.EM_LOONGARCH,
	}
	for arch, machine := range machines {
		if machine == header.Machine {
			is = "a program for linux/" + arch
		}
	}
	if is == "" {
		is = "a program for " + header.Machine.String()
	}
	want, known := machines[runtime.GOARCH]
	switch {
	case header.Type != elf.ET_EXEC && header.Type != elf.ET_DYN:
		return "no whole program but " + header.Type.String(), false
	case runtime.GOOS != "linux":
		return is, header.OSABI != elf.ELFOSABI_NONE && header.OSABI != elf.ELFOSABI_LINUX // another system that has ELF
	default:
		return is, !known || want == header.Machine
	}
}

func isMachO(f *os.File) bool {
	_, err := macho.NewFile(f)
	if err == nil {
		return true
	}
	_, err = macho.NewFatFile(f)
	return err == nil
}

func isPE(f *os.File) bool {
	_, err := pe.NewFile(f)
	return err == nil
}

// isText reports whether a file begins as texts do.
func isText(head []byte) bool { return !bytes.ContainsRune(head, 0) && !bytes.ContainsRune(head, 0x7f) }

// judgeScript says why the program that the first line of a script names cannot run it.
func judgeScript(path string, head []byte) error {
	line, _, _ := bytes.Cut(head[2:], []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return fmt.Errorf("%s has lines that end as on Windows, which this system takes for a part of the interpreter's name: run %s", path,
			shell.Command("sed", "-i", `s/\r$//`, path))
	}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return fmt.Errorf("%s has nothing after #! in its first line: name what runs it, such as #!/usr/bin/node", path)
	}
	if _, err := os.Stat(words[0]); err != nil {
		return fmt.Errorf("%s is run by %s, which is not there: install it, or name another in the first line", path, words[0])
	}
	if filepath.Base(words[0]) == "env" && len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		// A plugin gets no PATH: env then looks where the system's C library does.
		if _, err := exec.LookPath(words[1]); err != nil {
			return fmt.Errorf("%s is run by %s, which is not there: install it, or name another in the first line", path, words[1])
		}
	}
	return nil
}

// fit skips a row of a file that cannot be started.
func (c *check) fit() error {
	if c.noStart != "" {
		return skipf("%s", c.noStart)
	}
	return nil
}

func (c *check) runByHand(ctx context.Context) (string, error) {
	if err := c.fit(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Windows.ByHand)
	defer cancel()
	r, err := pluginhost.RunByHand(ctx, c.path)
	if err != nil {
		return "", err
	}
	const mend = "without its variable HOOKARR_PLUGIN, a plugin says on standard error what it is and exits with a status that is not 0"
	switch said := strings.TrimSpace(r.Stderr); {
	case r.State == nil:
		return "", fmt.Errorf("started by hand it did not end within %s: %s", c.opts.Windows.ByHand, mend)
	case r.Stdout != "":
		return "", fmt.Errorf("started by hand it printed %.80q to standard output: %s", r.Stdout, mend)
	case r.State.Success():
		return "", fmt.Errorf("started by hand it exited with status 0: %s", mend)
	case r.State.ExitCode() < 0:
		return "", fmt.Errorf("started by hand it ended by %s: %s", r.State, mend)
	case said == "":
		return "", fmt.Errorf("started by hand it said nothing: %s", mend)
	default:
		first, _, _ := strings.Cut(said, "\n")
		return fmt.Sprintf("%s, and says %.100q", r.State, first), nil
	}
}

func (c *check) shakeHands(ctx context.Context) (string, error) {
	if err := c.fit(); err != nil {
		return "", err
	}
	if err := c.start(ctx); err != nil {
		c.noProcess = "the handshake failed"
		return "", err
	}
	t := c.trial
	parts := strings.Split(t.Handshake, "|")
	const fields = 6 // 1|1|unix|/path/of/socket|grpc|CERT
	if len(parts) < fields || parts[fields-1] == "" {
		c.stop("the handshake failed")
		return "", errors.New("its handshake has no certificate: serve TLS with a certificate of your own, and append it in DER as unpadded base64, 1|1|unix|/path/of/socket|grpc|CERT")
	}
	took := t.Took.Round(time.Millisecond)
	if took > c.opts.Windows.Sluggish {
		c.warn("it took %s to start, which the first delivery waits for: do what is slow when it is configured", took)
	}
	return fmt.Sprintf("%s in %s, with a certificate, on a socket in its own directory", strings.Join(parts[:3], "|"), took), nil
}

// kindOf is for messages.
func kindOf(k host.Kind) string { return string(k) + " plugin" }
