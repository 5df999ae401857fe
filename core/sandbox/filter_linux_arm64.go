package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// legacyCalls are denied calls that this architecture does not have.
func legacyCalls() []uint32 { return nil }
