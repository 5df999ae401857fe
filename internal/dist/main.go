// Command dist makes what a release consists of: for each architecture an archive, a deb, an
// rpm and a bill of materials, and the checksums of all of them.
//
// The same commit gives the same bytes, whatever the directory and the day.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

func main() {
	syscall.Umask(0o022) // modes are those of packages
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// release is what is being made.
type release struct {
	// root is the repository and out the directory for what is made.
	root, out string
	// build is the command that builds a package, without its output and name.
	build string
	// plugins are the directories of the built-in plugins below plugins/.
	plugins []string
	dirty   bool
	// time is the commit's: every file that is made has it.
	time time.Time
	log  io.Writer
}

func run(ctx context.Context, args []string, log io.Writer) error {
	flags := flag.NewFlagSet("dist", flag.ContinueOnError)
	build := flags.String("build", "", "the `COMMAND` that builds a package")
	plugins := flags.String("plugins", "", "the built-in `PLUGINS`, separated by spaces")
	out := flags.String("out", "dist", "the `DIR` for what is made")
	dirty := flags.Bool("dirty", false, "allow for changes that are not committed: the version says so")
	notices := flags.String("notices", "", "write the notices into the `DIR` that has the programs, and do nothing else")
	mended := flags.String("mend", "", "write the modules that have to be changed for the named platform, and a go.mod with them, into the `DIR`, and do nothing else")
	if err := flags.Parse(args); err != nil {
		return err
	}
	platforms, err := platformsOf(flags.Args())
	if err != nil {
		return err
	}
	r := &release{build: *build, plugins: strings.Fields(*plugins), dirty: *dirty, log: log}
	if r.root, err = os.Getwd(); err != nil {
		return fmt.Errorf("find repository: %w", err)
	}
	switch {
	case *notices != "":
		return r.noticesBeside(ctx, *notices)
	case *mended != "":
		return r.mendFor(ctx, platforms, *mended)
	}
	if len(r.plugins) == 0 || r.build == "" {
		return errors.New("there is no -build or no -plugins: run make dist")
	}
	if r.out, err = filepath.Abs(*out); err != nil {
		return fmt.Errorf("find output: %w", err)
	}
	if err := r.examine(ctx); err != nil {
		return err
	}
	return r.make(ctx, platforms)
}

// noticesBeside writes the notices of programs that are built already, such as those of an image.
func (r *release) noticesBeside(ctx context.Context, dir string) error {
	t := &tree{files: dir}
	if err := t.read(); err != nil {
		return err
	}
	arch := setting(t.infos[0], "GOARCH")
	for _, p := range platforms() {
		if slices.Contains(p.env, "GOARCH="+arch) {
			t.platform = p
		}
	}
	linked, err := t.linked(ctx, r)
	if err != nil {
		return err
	}
	text, err := t.notices(r, linked)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, noticesFile), text)
}

// examine refuses a tree that is not what its commit says, and reads the commit's time.
func (r *release) examine(ctx context.Context) error {
	changes, err := r.output(ctx, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" && !r.dirty {
		return fmt.Errorf("these files are not committed, so that nobody could make the same again: "+
			"commit them, or allow for them with make dist DIST_FLAGS=-dirty\n%s", changes)
	}
	stamp, err := r.output(ctx, "git", "log", "-1", "--format=%cI")
	if err != nil {
		return err
	}
	if r.time, err = time.Parse(time.RFC3339, stamp); err != nil {
		return fmt.Errorf("read time of commit: %w", err)
	}
	r.time = r.time.UTC()
	return nil
}

// make works below r.out, in a directory that leaves with the work, and puts the results in
// their places when all are there, the checksums last.
func (r *release) make(ctx context.Context, platforms []platform) (err error) {
	if err := os.RemoveAll(r.out); err != nil {
		return fmt.Errorf("clear output: %w", err)
	}
	work := filepath.Join(r.out, "unfinished")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return fmt.Errorf("make output: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	done := filepath.Join(work, "done")
	if err := os.Mkdir(done, 0o755); err != nil {
		return fmt.Errorf("make output: %w", err)
	}
	for _, p := range platforms {
		r.say("%s: build", p.name)
		if err := r.makePlatform(ctx, p, filepath.Join(work, p.name), done); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	sums, err := writeSums(done)
	if err != nil {
		return err
	}
	for _, f := range append(sums, file{name: sumsFile}) {
		if err := os.Rename(filepath.Join(done, f.name), filepath.Join(r.out, f.name)); err != nil {
			return fmt.Errorf("put result in place: %w", err)
		}
	}
	return r.table(sums)
}

func (r *release) makePlatform(ctx context.Context, p platform, dir, done string) error {
	t, err := r.compile(ctx, p, dir)
	if err != nil {
		return err
	}
	r.say("%s: %s, notices, manual, archive", p.name, t.version)
	linked, err := t.linked(ctx, r)
	if err != nil {
		return err
	}
	if err := t.writeTexts(ctx, r, linked); err != nil {
		return err
	}
	name := fmt.Sprintf("hookarr_%s_linux_%s", t.version, p.name)
	if err := writeBOM(filepath.Join(done, name+".cdx.json"), r, t, linked); err != nil {
		return err
	}
	if err := writeArchive(filepath.Join(done, name+".tar.gz"), t.files, name, r.time); err != nil {
		return err
	}
	r.say("%s: packages", p.name)
	return t.pack(ctx, r, done)
}

func (r *release) say(format string, args ...any) { _, _ = fmt.Fprintf(r.log, format+"\n", args...) }

// table prints what was made.
func (r *release) table(made []file) error {
	w := tabwriter.NewWriter(r.log, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "\nSIZE\tSHA256\tIN %s\n", r.out)
	for _, f := range made {
		_, _ = fmt.Fprintf(w, "%s\t%.12s…\t%s\n", humanize.IBytes(uint64(f.size)), f.sum, f.name)
	}
	return w.Flush()
}

// output runs a command in the repository and returns what it prints.
func (r *release) output(ctx context.Context, name string, args ...string) (string, error) {
	var out strings.Builder
	err := r.command(ctx, r.root, &out, nil, name, args...)
	return strings.TrimSpace(out.String()), err
}

// command runs a command in dir with more environment.
func (r *release) command(ctx context.Context, dir string, out io.Writer, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", cmd, err)
	}
	return nil
}
