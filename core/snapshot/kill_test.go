package snapshot

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// childEnv has the test binary read a snapshot as a process of its own: URL, seconds since
// 1970, and the number of films.
const childEnv = "HOOKARR_TEST_SNAPSHOT"

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		if err := runChild(child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// slow is an application that takes its time.
type slow struct{ *app }

func (s slow) Snapshot(ctx context.Context, source string, q sdk.SnapshotQuery) (host.Snapshot, error) {
	time.Sleep(20 * time.Millisecond)
	return s.app.Snapshot(ctx, source, q)
}

// doomed is a store on which a process comes no further than it is to, however late it is killed.
type doomed struct {
	Store
	steps int
}

func (d *doomed) StepSnapshot(ctx context.Context, step *store.SnapshotStep) ([]store.Accepted, error) {
	accepted, err := d.Store.StepSnapshot(ctx, step)
	if d.steps++; d.steps == 6 {
		time.Sleep(time.Hour)
	}
	return accepted, err
}

func runChild(child string) error {
	fields := strings.Fields(child)
	s, err := openStore(context.Background(), fields[0])
	if err != nil {
		return err
	}
	at, _ := strconv.ParseInt(fields[1], 10, 64)
	titles, _ := strconv.Atoi(fields[2])
	r, _, err := newReader(s, slow{afterwards(titles)}, func() time.Time { return time.Unix(at, 0).UTC() })
	if err != nil {
		return err
	}
	r.o.Store = &doomed{Store: s}
	return r.Run(context.Background(), "radarr", time.Time{})
}

// afterwards is a library in which every film has changed, every tenth is gone, and as many
// are new.
func afterwards(titles int) *app {
	a := newApp(titles)
	for i := range titles {
		key := "movie/" + number(i+1)
		if i%10 == 0 {
			delete(a.items, key)
			delete(a.items, "file/"+strconv.Itoa(1001+i))
			continue
		}
		a.change(key, func(e *sdk.Event) { e.Media.Overview = "New." })
	}
	for i := range titles / 10 {
		a.add(titles + i + 1)
	}
	return a
}

// TestKilledRunGoesOn reads and tells in a process that is killed again and again: what
// has changed is told once.
func TestKilledRunGoesOn(t *testing.T) {
	t.Parallel()
	const titles = 3000
	onEach(t, titles, func(t *testing.T, b *bench) {
		require.Empty(t, b.read(t))
		b.now = b.now.Add(25 * time.Hour)
		self, err := os.Executable()
		require.NoError(t, err)
		phases := map[store.SnapshotPhase]int{}
		for tries := 0; b.state(t).EndedRun < 2; tries++ {
			require.Less(t, tries, 100)
			before := b.state(t).Step
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", childEnv, b.url, b.now.Unix(), titles))
			cmd.Stderr = os.Stderr
			require.NoError(t, cmd.Start())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for running := true; running; {
				select {
				case err := <-ended:
					require.NoError(t, err, "it ended by itself")
					running = false
				case <-time.After(2 * time.Millisecond):
					if b.state(t).Step > before+4 {
						_ = cmd.Process.Kill() // it may have ended just now
						<-ended                //nolint:errcheck // it was killed
						running = false
					}
				}
			}
			phases[b.state(t).Phase]++
		}
		require.Positive(t, phases[store.SnapshotReading])
		require.Positive(t, phases[store.SnapshotTelling])
		counts := map[sdk.Type]int{}
		seen := map[string]bool{}
		for _, e := range b.events(t) {
			counts[e.Type]++
			require.False(t, seen[e.Fingerprint], "%s of %s is told twice", e.Type, e.Title)
			seen[e.Fingerprint] = true
		}
		require.Equal(t, map[sdk.Type]int{
			sdk.TypeMediaUpdated: titles * 9 / 10, sdk.TypeMediaDeleted: titles / 10, sdk.TypeMediaAdded: titles / 10, sdk.TypeMediaImported: titles / 10,
		}, counts)
		deliveries, err := b.store.CountDeliveries(t.Context())
		require.NoError(t, err)
		require.Equal(t, titles*12/10, deliveries[0].Count)
	})
}
