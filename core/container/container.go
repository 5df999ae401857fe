// Package container makes a process of an image the user that PUID and PGID name, as images
// of Arr applications do, and gives it the volume that is mounted for it. Started as another
// user than root, a process stays who it is.
package container

import (
	"fmt"
	"strconv"
)

const (
	// VolumeVariable names the directory of the image in which everything is that outlives a
	// container. The image sets it. Without it PUID and PGID, which other programs may have been
	// given, mean nothing here.
	VolumeVariable = "HOOKARR_VOLUME"

	uidVariable   = "PUID"
	gidVariable   = "PGID"
	umaskVariable = "UMASK"
)

// maxID is the greatest number of a user or group that every system takes.
const maxID = 1<<31 - 1

// Container is what the environment says of the container that this process is in. The zero
// value is no container.
type Container struct {
	// Volume is the directory with everything that is to be kept; empty outside of an image.
	Volume string
	// UID and GID are whose the volume is to be, and 0 where nobody is named.
	UID, GID int
	// Umask is nil to leave it as it is.
	Umask *int
}

// Read reads the environment.
func Read(getenv func(string) string) (Container, error) {
	c := Container{Volume: getenv(VolumeVariable)}
	if c.Volume == "" {
		return Container{}, nil
	}
	var err error
	if c.UID, err = readID(uidVariable, "user", getenv(uidVariable)); err != nil {
		return Container{}, err
	}
	if c.GID, err = readID(gidVariable, "group", getenv(gidVariable)); err != nil {
		return Container{}, err
	}
	switch {
	case c.UID != 0 && c.GID == 0:
		return Container{}, fmt.Errorf("%s is set and %s is not: set both, such as %s=%d and %s=%d", uidVariable, gidVariable, uidVariable, c.UID, gidVariable, c.UID)
	case c.UID == 0 && c.GID != 0:
		return Container{}, fmt.Errorf("%s is set and %s is not: set both, such as %s=%d and %s=%d", gidVariable, uidVariable, uidVariable, c.GID, gidVariable, c.GID)
	}
	c.Umask, err = readUmask(getenv(umaskVariable))
	return c, err
}

func readID(variable, whose, value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	switch {
	case err == nil && n == 0:
		return 0, fmt.Errorf("%s=0 is root, which Hookarr has no use for: set it to the number of the %s that the volume is for, such as %s=1000; "+
			"the command id prints yours", variable, whose, variable)
	case err != nil || n < 0 || n > maxID:
		return 0, fmt.Errorf("%s=%.20q is no number of a %s: want 1 to %d, such as %s=1000; the command id prints yours", variable, value, whose, maxID, variable)
	}
	return n, nil
}

func readUmask(value string) (*int, error) {
	if value == "" {
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	n, err := strconv.ParseUint(value, 8, 32)
	switch {
	case err != nil || n > 0o777:
		return nil, fmt.Errorf("%s=%.20q is no umask: want octal digits, such as %s=022 or %s=002", umaskVariable, value, umaskVariable, umaskVariable)
	case n&0o700 != 0:
		return nil, fmt.Errorf("%s=%s would keep Hookarr from its own files: let it begin with 0, such as %s=022", umaskVariable, value, umaskVariable)
	}
	mask := int(n)
	return &mask, nil
}

// user is who the volume is for, as chown takes it.
func (c Container) user() string { return fmt.Sprintf("%d:%d", c.UID, c.GID) }
