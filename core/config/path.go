package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// sqliteScheme precedes the path of a database that is a file.
const sqliteScheme = "sqlite://"

// path returns a path as this process can open it. In the file, and by default, paths are
// relative to the file's directory, so that a command means the same from everywhere; in
// the environment and in flags they are relative to the working directory.
func (d *decoder) path(key, name string) string {
	if name == "" || filepath.IsAbs(name) || d.origin.layerOf(key) != fromFile {
		return name
	}
	return filepath.Join(filepath.Dir(d.origin.file), name)
}

// paths resolves those of core's own settings.
func (d *decoder) paths(c *Config) {
	c.TLS.CertFile = d.path("tls.cert_file", c.TLS.CertFile)
	c.TLS.KeyFile = d.path("tls.key_file", c.TLS.KeyFile)
	c.Admin.Socket = d.path("admin.socket", c.Admin.Socket)
	for i, dir := range c.Plugins.Dir {
		c.Plugins.Dir[i] = d.path(fmt.Sprintf("plugins.dir[%d]", i), dir)
	}
	c.Plugins.Lock = d.path("plugins.lock", c.Plugins.Lock)
	if name, ok := strings.CutPrefix(c.Database.URL.Reveal(), sqliteScheme); ok {
		c.Database.URL = sdk.Secret(sqliteScheme + d.path("database.url", name))
	}
}

// asWritten returns c with the paths below the file's directory relative to it again: two
// nodes that keep equal files in different directories have one configuration.
func (c *Config) asWritten() *Config {
	dir := filepath.Dir(c.File) + string(filepath.Separator)
	written := *c
	written.TLS.CertFile = strings.TrimPrefix(c.TLS.CertFile, dir)
	written.TLS.KeyFile = strings.TrimPrefix(c.TLS.KeyFile, dir)
	written.Admin.Socket = strings.TrimPrefix(c.Admin.Socket, dir)
	written.Plugins.Lock = strings.TrimPrefix(c.Plugins.Lock, dir)
	written.Plugins.Dir = make([]string, len(c.Plugins.Dir))
	for i, d := range c.Plugins.Dir {
		written.Plugins.Dir[i] = strings.TrimPrefix(d, dir)
	}
	return &written
}
