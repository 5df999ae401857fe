//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	vm, err := bpf.NewVM(filter())
	require.NoError(t, err)
	const x32, high = 0x4000_0000, 1 << 32
	for name, tt := range map[string]struct {
		arch, call uint32
		args       [6]uint64
		want       uint32
	}{
		"a call of everybody":                  {auditArch, unix.SYS_READ, [6]uint64{}, allowed},
		"the last that is known":               {auditArch, newestCall, [6]uint64{}, allowed},
		"one that came later":                  {auditArch, newestCall + 1, [6]uint64{}, unknown},
		"one of x32":                           {auditArch, unix.SYS_READ | x32, [6]uint64{}, unknown},
		"one of i386":                          {unix.AUDIT_ARCH_I386, unix.SYS_READ, [6]uint64{}, killed},
		"one of arm":                           {unix.AUDIT_ARCH_ARM, unix.SYS_READ, [6]uint64{}, killed},
		"connect":                              {auditArch, unix.SYS_CONNECT, [6]uint64{}, denied},
		"a Unix socket":                        {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_UNIX, unix.SOCK_STREAM}, allowed},
		"a Unix socket with flags":             {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_UNIX, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK}, allowed},
		"a Unix datagram socket":               {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_UNIX, unix.SOCK_DGRAM}, denied},
		"a TCP socket":                         {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_INET, unix.SOCK_STREAM}, denied},
		"a TCP socket with a Unix one's flags": {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_INET, unix.AF_UNIX}, denied},
		"a TCP socket with high bits":          {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_INET | high, unix.SOCK_STREAM | high}, denied},
		"a Unix socket of another type's bits": {auditArch, unix.SYS_SOCKET, [6]uint64{unix.AF_UNIX, unix.SOCK_STREAM | unix.SOCK_RAW}, denied},
		"a pair":                               {auditArch, unix.SYS_SOCKETPAIR, [6]uint64{unix.AF_UNIX, unix.SOCK_STREAM | unix.SOCK_CLOEXEC}, allowed},
		"a pair of datagram sockets":           {auditArch, unix.SYS_SOCKETPAIR, [6]uint64{unix.AF_UNIX, unix.SOCK_DGRAM}, denied},
		"own limits":                           {auditArch, unix.SYS_PRLIMIT64, [6]uint64{0, unix.RLIMIT_NOFILE}, allowed},
		"another's limits":                     {auditArch, unix.SYS_PRLIMIT64, [6]uint64{1, unix.RLIMIT_NOFILE}, denied},
		"own processors":                       {auditArch, unix.SYS_SCHED_SETAFFINITY, [6]uint64{0, 8}, allowed},
		"another's processors":                 {auditArch, unix.SYS_SCHED_SETAFFINITY, [6]uint64{1, 8}, denied},
		"a thread":                             {auditArch, unix.SYS_CLONE, [6]uint64{unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND}, allowed},
		"a process":                            {auditArch, unix.SYS_CLONE, [6]uint64{unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_PIDFD | uint64(unix.SIGCHLD)}, allowed},
		"a namespace":                          {auditArch, unix.SYS_CLONE, [6]uint64{unix.CLONE_NEWUSER | uint64(unix.SIGCHLD)}, denied},
		"a namespace among others":             {auditArch, unix.SYS_CLONE, [6]uint64{unix.CLONE_VM | unix.CLONE_NEWNET | high}, denied},
		"a signal to an own thread":            {auditArch, unix.SYS_TGKILL, [6]uint64{uint64(os.Getpid()) + 1, 1, 9}, allowed},
		"a signal to a thread of the host":     {auditArch, unix.SYS_TGKILL, [6]uint64{uint64(os.Getpid()), 1, 9}, denied},
		"the same, with high bits":             {auditArch, unix.SYS_TGKILL, [6]uint64{uint64(os.Getpid()) | high, 1, 9}, denied},
		"flags of a descriptor":                {auditArch, unix.SYS_FCNTL, [6]uint64{0, unix.F_SETFL}, allowed},
		"a lock":                               {auditArch, unix.SYS_FCNTL, [6]uint64{0, unix.F_OFD_SETLK}, allowed},
		"a request of a terminal":              {auditArch, unix.SYS_IOCTL, [6]uint64{0, unix.TCGETS}, allowed},
		"a name of a thread":                   {auditArch, unix.SYS_PRCTL, [6]uint64{unix.PR_SET_NAME}, allowed},
		"clone3":                               {auditArch, unix.SYS_CLONE3, [6]uint64{}, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, decide(t, vm, tt.arch, tt.call, tt.args))
		})
	}
	for _, call := range deniedCalls() {
		require.Equal(t, denied, decide(t, vm, auditArch, call, [6]uint64{}), call)
	}
	for call, tt := range map[uint32]struct {
		argument int
		values   []uint64
	}{
		unix.SYS_FCNTL: {1, []uint64{8, 10, 15, 1024, 1026}},
		unix.SYS_IOCTL: {1, []uint64{0x8901, 0x8902, 0x40086602, 0x401c5820, 0x40087602}},
		unix.SYS_PRCTL: {0, []uint64{4, 35}},
	} {
		for _, value := range tt.values {
			var args [6]uint64
			args[tt.argument] = value
			require.Equal(t, denied, decide(t, vm, auditArch, call, args), "call %d, %d", call, value)
		}
	}
}

// decide has the filter look at a call. The machine of package bpf loads words with the
// highest byte first, and the kernel's in its own order.
func decide(t *testing.T, vm *bpf.VM, arch, call uint32, args [6]uint64) uint32 {
	t.Helper()
	data := make([]byte, argumentOffset, argumentOffset+len(args)*argumentSize)
	binary.BigEndian.PutUint32(data[numberOffset:], call)
	binary.BigEndian.PutUint32(data[archOffset:], arch)
	for _, arg := range args {
		data = binary.BigEndian.AppendUint32(data, uint32(arg))
		data = binary.BigEndian.AppendUint32(data, uint32(arg>>32))
	}
	got, err := vm.Run(data)
	require.NoError(t, err)
	return uint32(got)
}
