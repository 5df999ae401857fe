// Package sandbox starts programs that the Linux kernel keeps from the network, from
// other processes and from almost every file, for an ordinary user and without a helper
// program. A program is forked from an operating system thread that has restricted
// itself: no_new_privs, no capabilities, a Landlock domain and a seccomp filter belong to
// a thread and are inherited by all that it starts, for ever.
//
// What the sandbox does not hide: that a file exists, its size, owner and times; the
// machine's name and load; what the program is given over its pipes and sockets. It does
// not bound memory, CPU or processes.
package sandbox

// Policy says what a program may reach. Whatever is not named is out of reach, and names
// that lead nowhere are passed over. [Start] adds /dev/null and /dev/urandom.
type Policy struct {
	// Execute are programs that may be run and read.
	Execute []string
	// Read are files, and directories with all that is in them.
	Read []string
	// Write are directories in which files, directories and Unix sockets may be made,
	// read, changed and removed. Symbolic links are not: who looks into the directory
	// from outside could be led astray.
	Write []string
}

// Support is what the kernel has of the sandbox.
type Support struct {
	// Missing says in a few words why there is no sandbox; it is empty where there is one.
	Missing string
	// Gaps are what the sandbox of this kernel does not keep, a clause each.
	Gaps []string
}

// Supported reports whether programs can be started in a sandbox.
func (s Support) Supported() bool { return s.Missing == "" }
