package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// misbehave does what no plugin should.
func (p *plugin) misbehave(what, arg string) {
	switch what {
	case "panic":
		panic("a bug in the handler") //nolint:forbidigo // its purpose
	case "panic-goroutine":
		go func() { panic("a bug in a goroutine") }() //nolint:forbidigo // its purpose
		select {}
	case "exit":
		os.Exit(3)
	case "hang":
		p.sign("arrived-hang")
		select {}
	case "flood":
		n, _ := strconv.Atoi(arg)
		for i := range n {
			p.env.Log.Info("flood", "line", i)
		}
	case "print":
		_, _ = fmt.Fprintln(os.Stdout, "printed to stdout")
		_, _ = syscall.Write(1, []byte(strings.Repeat("printed raw\n", 20_000)))
	case "hostile-log":
		for _, line := range []string{
			`{"@message":1}`, `{"@message":"x","@level":7}`, `{"@timestamp":{}}`, `[]`, `{`, strings.Repeat("x", 200_000),
			`{"@message":"survived","@level":"warn"}`,
		} {
			_, _ = syscall.Write(2, []byte(line+"\n"))
		}
	case "leak":
		// Until the end of the process.
		mib, _ := strconv.Atoi(arg)
		leaked.Lock()
		leaked.held = append(leaked.held, bytes.Repeat([]byte{1}, mib<<20))
		leaked.Unlock()
	case "spin":
		for !released(p.config.Dir) {
		}
	case "spew-err", "spew-out":
		fd := map[string]int{"spew-err": 2, "spew-out": 1}[what]
		line := []byte(strings.Repeat("spew ", 1000) + "\n")
		for !released(p.config.Dir) {
			_, _ = syscall.Write(fd, line)
		}
	case "sh":
		p.sh(arg)
	case "orphan":
		// A child that keeps the pipes and would outlive its parent.
		child, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{Files: []*os.File{os.Stdin, os.NewFile(1, "stdout"), os.NewFile(2, "stderr")}})
		if err == nil {
			p.sign("child-" + strconv.Itoa(child.Pid))
		}
		os.Exit(4)
	}
}

// leaked is what the plugin never gives back.
var leaked struct {
	sync.Mutex
	held [][]byte
}

// sh runs a script, which finds the plugin's directory in $0, and does not wait for what it
// leaves running.
func (p *plugin) sh(script string) {
	shell, err := os.StartProcess("/bin/sh", []string{"sh", "-c", script, p.config.Dir}, &os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, nil, nil}})
	if err == nil {
		_, _ = shell.Wait()
	}
}

// released reports whether the test has left the file "go".
func released(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go"))
	return err == nil
}
