package sandbox

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	// maxInterpreter bounds the path of an interpreter: PATH_MAX, and the kernel reads no
	// more than 256 bytes of a script's first line.
	maxInterpreter, maxShebang = 4096, 256
	// maxSegments bounds the segments of a program that are looked at. Linkers write some
	// ten.
	maxSegments = 128
	// maxNesting bounds interpreters of interpreters, as the kernel does.
	maxNesting = 5
)

// ProgramPolicy is what a program needs to start: itself, named by path, the time zones
// and, unless it is linked statically, its interpreters and the directories of libraries.
// Nothing of the file is trusted.
func ProgramPolicy(path string, program io.ReaderAt) Policy {
	p := Policy{
		Execute: []string{path},
		Read:    []string{"/etc/localtime", "/usr/share/zoneinfo"},
	}
	p.addInterpreters(program, maxNesting)
	if len(p.Execute) > 1 {
		p.Read = append(p.Read, libraries()...)
	}
	return p
}

// libraries are what a dynamic loader and the usual runtimes read. None of it is private
// to anybody.
func libraries() []string {
	dirs := []string{
		"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/nix/store",
		"/usr/share", "/usr/local/share",
		"/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf",
	}
	musl, _ := filepath.Glob("/etc/ld-musl-*.path") // the pattern is well-formed
	return append(dirs, musl...)
}

// addInterpreters adds the programs that the kernel, or env, starts for this one.
func (p *Policy) addInterpreters(program io.ReaderAt, nesting int) {
	if nesting == 0 {
		return
	}
	for _, path := range interpreters(program) {
		if slices.Contains(p.Execute, path) {
			continue
		}
		f, err := openInterpreter(path)
		if err != nil {
			continue
		}
		p.Execute = append(p.Execute, path)
		p.addInterpreters(f, nesting-1)
		_ = f.Close()
	}
}

// openInterpreter opens what a program names as its interpreter, if that is a file that can
// be executed, and nothing else: a right to a directory holds for all that is in it.
func openInterpreter(path string) (*os.File, error) {
	// Names in /proc mean what this process has open, and where it is.
	named, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	for _, p := range []string{filepath.Clean(path), named} {
		if !filepath.IsAbs(p) || strings.HasPrefix(p, "/proc/") {
			return nil, fs.ErrInvalid
		}
	}
	// Without O_NONBLOCK a named pipe would hold up the caller.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		_ = f.Close()
		return nil, fs.ErrInvalid
	}
	return f, nil
}

// interpreters are what a program's file names: the dynamic loader, or what a script's
// first line says.
func interpreters(program io.ReaderAt) []string {
	head := make([]byte, maxShebang)
	n, _ := program.ReadAt(head, 0) // what is too short is neither
	head = head[:n]
	if line, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		line, _, _ = bytes.Cut(line, []byte{'\n'})
		return scriptInterpreters(strings.Fields(string(line)))
	}
	if loader := dynamicLoader(program, head); loader != "" {
		return []string{loader}
	}
	return nil
}

// scriptInterpreters are the first word, and what env looks for where that is env: a
// plugin has no PATH, for which C libraries have their own.
func scriptInterpreters(words []string) []string {
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return nil
	}
	found := words[:1]
	if filepath.Base(words[0]) != "env" {
		return found
	}
	for _, word := range words[1:] {
		if strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
			continue
		}
		// It is looked for only by a plain name.
		if word == ".." || strings.Contains(word, "/") {
			break
		}
		for _, dir := range []string{"/usr/local/bin", "/bin", "/usr/bin"} {
			found = append(found, filepath.Join(dir, word))
		}
		break
	}
	return found
}

// dynamicLoader returns the interpreter that an ELF file of 64 bits and little endian names,
// or nothing. The loader of any other has no use: the sandbox runs the machine's own kind
// alone, which is that on every architecture that has a filter. The kernel looks neither at
// the class nor at the byte order that a header states, and would read another table of
// segments than one that believes them.
func dynamicLoader(program io.ReaderAt, head []byte) string {
	if len(head) < elf.EI_NIDENT || string(head[:4]) != elf.ELFMAG ||
		elf.Class(head[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return ""
	}
	var header elf.Header64
	if err := binary.Read(bytes.NewReader(head), binary.LittleEndian, &header); err != nil {
		return ""
	}
	for i := range min(int64(header.Phnum), maxSegments) {
		var segment elf.Prog64
		at := int64(header.Phoff) + i*int64(header.Phentsize) // a negative one cannot be read
		if err := binary.Read(io.NewSectionReader(program, at, int64(header.Phentsize)), binary.LittleEndian, &segment); err != nil {
			return ""
		}
		if elf.ProgType(segment.Type) == elf.PT_INTERP && segment.Filesz <= maxInterpreter {
			path := make([]byte, segment.Filesz)
			if _, err := program.ReadAt(path, int64(segment.Off)); err != nil {
				return ""
			}
			return string(bytes.TrimRight(path, "\x00"))
		}
	}
	return ""
}
