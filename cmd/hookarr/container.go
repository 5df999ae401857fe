package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/container"
)

// settle makes this process the user of the container that it is in, if it is in one. What
// serves owns the volume first. Of every other command root stays root where the volume is
// another's, as in a container that was started with user:, whose server lets root in.
func (c *cli) settle(ctx context.Context, serves bool) error {
	in, err := container.Read(c.getenv)
	if err != nil {
		return err
	}
	if !serves {
		if !in.HandedOver() {
			return nil
		}
		return in.Become()
	}
	if in.StaysRoot() {
		c.tell("hookarr: warning: this runs as root, as PUID and PGID are empty: set them to the user that the volume is for, such as PUID=1000 and PGID=1000.",
			"In a rootless container root is your own user, and this is right.")
	}
	if err := in.HandOver(ctx, func(line string) { c.tell("hookarr:", line) }); err != nil {
		return err
	}
	if err := in.Become(); err != nil {
		return err
	}
	return in.Check(filepath.Base(hereFile), "data", ownPlugins)
}

// inImage reports whether this is a container of the image, whose volume then is known.
func (c *cli) inImage() bool { return c.getenv(container.VolumeVariable) != "" }

// checkDatabaseFiles says what keeps a container from writing to its database.
func (c *cli) checkDatabaseFiles(cfg *config.Config) error {
	path, ok := sqlitePath(cfg)
	in, err := container.Read(c.getenv)
	if err != nil || !ok {
		return err
	}
	path, _, _ = strings.Cut(path, "?")
	return in.CheckDatabase(path)
}
