package sandbox

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProgramPolicy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	loader := filepath.Join(dir, "ld.so")
	require.NoError(t, os.WriteFile(loader, nil, 0o700))
	wrapper := filepath.Join(dir, "wrapper")
	require.NoError(t, os.WriteFile(wrapper, []byte("#!"+loader+" -x\n"), 0o700))
	loop := filepath.Join(dir, "loop")
	require.NoError(t, os.WriteFile(loop, []byte("#!"+loop+"\n"), 0o700))
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	soft := filepath.Join(dir, "soft")
	require.NoError(t, os.Symlink("/", soft))
	lib := filepath.Join(dir, "lib")
	require.NoError(t, os.Symlink(loader, lib))
	for name, tt := range map[string]struct {
		file string
		want []string
	}{
		"empty":                            {"", nil},
		"text":                             {"Hello", nil},
		"no interpreter":                   {"#!\n", nil},
		"relative interpreter":             {"#!ld.so\n", nil},
		"missing interpreter":              {"#!/nowhere/sh\n", nil},
		"script":                           {"#! " + loader + " -e\nrest", []string{loader}},
		"script without end of line":       {"#!" + loader, []string{loader}},
		"script of a script":               {"#!" + wrapper + "\n", []string{wrapper, loader}},
		"script of itself":                 {"#!" + loop + "\n", []string{loop}},
		"static program":                   {elf64(binary.LittleEndian, elf.PT_LOAD, loader), nil},
		"dynamic program":                  {elf64(binary.LittleEndian, elf.PT_INTERP, loader), []string{loader}},
		"dynamic program, big end first":   {elf64(binary.BigEndian, elf.PT_INTERP, loader), nil},
		"dynamic program of the root":      {elf64(binary.LittleEndian, elf.PT_INTERP, "/"), nil},
		"dynamic program, relative path":   {elf64(binary.LittleEndian, elf.PT_INTERP, "program_test.go"), nil},
		"script of a directory":            {"#!" + dir + "\n", nil},
		"script of the root":               {"#!/\n", nil},
		"script of a link to a directory":  {"#!" + soft + "\n", nil},
		"script of a link to a file":       {"#!" + lib + "\n", []string{lib}},
		"script of a file to read":         {"#!" + plain + "\n", nil},
		"script of a device":               {"#!/dev/null\n", nil},
		"script of the host's root":        {"#!/proc/self/root\n", nil},
		"script of the host's program":     {"#!/proc/self/exe\n", nil},
		"script by way of the host's root": {"#!/proc/self/root" + loader + "\n", nil},
		"script of a path that goes up":    {"#!" + dir + "/../..\n", nil},
		"interpreter beyond the end":       {elf64(binary.LittleEndian, elf.PT_INTERP, loader)[:130], nil},
		"header cut off":                   {elf64(binary.LittleEndian, elf.PT_INTERP, loader)[:40], nil},
		"interpreter of too long a path":   {elf64(binary.LittleEndian, elf.PT_INTERP, strings.Repeat("/", 5000)+loader), nil},
		"program of 32 bits":               {"\x7fELF\x01\x01" + strings.Repeat("\x00", 200), nil},
		"segments at no place":             {elfAt(1<<63, 1, 56), nil},
		"segments of no size":              {elfAt(64, 0xffff, 0), nil},
		"more segments than there can be":  {elfAt(64, 0xffff, 56), nil},
		"segments that end after the file": {elfAt(100, 3, 0xffff), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := ProgramPolicy("/plugin", strings.NewReader(tt.file))
			require.Equal(t, append([]string{"/plugin"}, tt.want...), p.Execute)
			require.Equal(t, tt.want != nil, len(p.Read) > 2, "libraries are for what uses them: %v", p.Read)
			require.Empty(t, p.Write)
		})
	}
}

func TestEnvLooksForInterpreter(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"/usr/bin/env", "/usr/local/bin/node", "/bin/node", "/usr/bin/node"},
		scriptInterpreters([]string{"/usr/bin/env", "-S", "A=b", "node", "--flag"}))
	for _, words := range []string{"", "..", ".. node", "../etc", "/etc/passwd", "-S/bin/sh -c 'a=.;$a${IFS}$1' ..", "a/.. node"} {
		require.Equal(t, []string{"/usr/bin/env"}, scriptInterpreters(append([]string{"/usr/bin/env"}, strings.Fields(words)...)), words)
	}
	p := ProgramPolicy("/plugin", strings.NewReader("#!/usr/bin/env ."))
	require.NotContains(t, p.Execute, "/usr/bin", "a directory")
}

func FuzzProgramPolicy(f *testing.F) {
	f.Add([]byte("#!/bin/sh\n"))
	f.Add([]byte(elf64(binary.LittleEndian, elf.PT_INTERP, "/bin/sh")))
	f.Fuzz(func(t *testing.T, file []byte) {
		require.NotEmpty(t, ProgramPolicy("/plugin", bytes.NewReader(file)).Execute)
	})
}

// elf64 is a program of one segment that holds a path.
func elf64(order binary.ByteOrder, kind elf.ProgType, path string) string {
	data := elf.ELFDATA2LSB
	if order == binary.BigEndian {
		data = elf.ELFDATA2MSB
	}
	header := elf.Header64{Phoff: 64, Phnum: 1, Phentsize: 56}
	copy(header.Ident[:], elf.ELFMAG+string([]byte{byte(elf.ELFCLASS64), byte(data)}))
	var file bytes.Buffer
	_ = binary.Write(&file, order, header)
	_ = binary.Write(&file, order, elf.Prog64{Type: uint32(kind), Off: 120, Filesz: uint64(len(path)) + 1})
	return file.String() + path + "\x00"
}

// elfAt is a header that lies of its segments.
func elfAt(offset uint64, number, size uint16) string {
	header := elf.Header64{Phoff: offset, Phnum: number, Phentsize: size}
	copy(header.Ident[:], elf.ELFMAG+string([]byte{byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)}))
	var file bytes.Buffer
	_ = binary.Write(&file, binary.LittleEndian, header)
	return file.String() + strings.Repeat("\x00", 64)
}
