package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is where the figures come from.
type machine struct {
	Processor  string `json:"processor"`
	Cores      int    `json:"cores"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	FileSystem string `json:"file_system"`
	// Load is the load average of the last minute: what else was going on.
	Load string `json:"load"`
}

func (m machine) String() string {
	return fmt.Sprintf("%d x %s, Linux %s, %s, %s, load average before %s", m.Cores, m.Processor, m.Kernel, m.Go, m.FileSystem, m.Load)
}

func describeMachine(dir string) machine {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	averages, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(averages), " ")
	return machine{
		Processor: processor(), Cores: runtime.NumCPU(), Kernel: strings.TrimSpace(string(kernel)),
		Go: runtime.Version(), FileSystem: fileSystem(dir), Load: load,
	}
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// fileSystem is the type of the longest mount point that dir is under.
func fileSystem(dir string) string {
	mounts, _ := os.ReadFile("/proc/mounts")
	kind, length := "unknown file system", 0
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) > 2 && len(fields[1]) >= length && strings.HasPrefix(dir+"/", strings.TrimSuffix(fields[1], "/")+"/") {
			kind, length = fields[2], len(fields[1])
		}
	}
	return kind
}
