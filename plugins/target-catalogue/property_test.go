package catalogue

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/model"
)

// howMany is CATALOGUE_EVENTS, or a number that suits every run of the tests.
func howMany(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("CATALOGUE_EVENTS")); err == nil {
		return n
	}
	return usual
}

func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if given, err := strconv.ParseUint(os.Getenv("CATALOGUE_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("CATALOGUE_SEED=%d", seed)
	return seed
}

// A catalogue is what the applications have, after their events came in any order, more
// than once, in attempts of which some broke off, and with a writer that was killed. Who
// followed the changes has the same.
func TestCatalogueEqualsApplications(t *testing.T) {
	t.Parallel()
	for _, k := range places(t) {
		t.Run(string(k.place), func(t *testing.T) {
			t.Parallel()
			seed, n := seedOf(t), howMany(600)
			if k.place == placeDir {
				n = min(n, max(n/5, 200)) // each delivery writes a whole library
			}
			world := model.NewWorld(seed)
			deliveries := model.Deliveries(world.Events(n), seed, 30)

			third := len(deliveries) / 3
			writeAndDie(t, k, seed, n, third)
			begun := time.Now()
			writeAtOnce(t, k, deliveries[third:], seed)
			t.Logf("%d deliveries of %d events: %s each", len(deliveries)-third, n, time.Since(begun)/time.Duration(len(deliveries)-third))

			require.Empty(t, model.Difference(world.Holdings(), k.holdings(t)))
			var changes []told
			if k.place == placeDir {
				changes = k.feedInFiles(t)
			} else {
				changes = k.feed(t.Context(), t, k.database(t), 0)
			}
			require.Empty(t, model.Difference(k.outline(t), replayed(t, changes)))
		})
	}
}

// outline are the titles and the files with their paths, as [replayed] writes them.
func (k kept) outline(t *testing.T) []string {
	t.Helper()
	var lines []string
	if k.place == placeDir {
		for _, c := range k.titlesInFiles(t) {
			lines = append(lines, c...)
		}
		return lines
	}
	db := k.database(t)
	rows(t, db, `SELECT source, kind, id FROM library`, func(scan func(...any) error) error {
		var source, kind, id string
		err := scan(&source, &kind, &id)
		lines = append(lines, fmt.Sprintf("%s title %s/%s ", source, kind, id))
		return err
	})
	rows(t, db, `SELECT source, file_id, path FROM media_files`, func(scan func(...any) error) error {
		var source, id, path string
		err := scan(&source, &id, &path)
		lines = append(lines, fmt.Sprintf("%s file %s %s", source, id, path))
		return err
	})
	return lines
}

// writeAtOnce has several workers deliver. Some attempts break off and are made again, and
// the keeper is opened anew now and then.
func writeAtOnce(t *testing.T, k kept, deliveries []model.Delivery, seed uint64) {
	t.Helper()
	const workers = 6
	for len(deliveries) > 0 {
		some := deliveries[:min(len(deliveries), 400)]
		deliveries = deliveries[len(some):]
		opened, err := k.open()
		require.NoError(t, err)
		queue := make(chan model.Delivery)
		errs := make([]error, workers)
		var wg sync.WaitGroup
		for i := range workers {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			wg.Go(func() {
				for d := range queue {
					for errs[i] == nil && random.IntN(6) == 0 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(4000))*time.Microsecond)
						_ = opened.Keep(ctx, d.ID, d.Events) // it may have been written all the same
						cancel()
					}
					if errs[i] == nil {
						errs[i] = opened.Keep(t.Context(), d.ID, d.Events)
					}
				}
			})
		}
		for _, d := range some {
			queue <- d
		}
		close(queue)
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.NoError(t, opened.Close())
	}
}

// writeAndDie has processes deliver that are killed at random moments. Each goes on where
// the one before had told that it was done.
func writeAndDie(t *testing.T, k kept, seed uint64, events, until int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 99))
	for done := 0; done < until; {
		task, err := json.Marshal(child{Place: k.place, Address: k.address, Seed: seed, Events: events, From: done, Until: until})
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+string(task))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		// It dies in the middle of a delivery, or right after one.
		lives := until
		if until-done > until/4 {
			lives = done + 1 + random.IntN(until/3)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			require.NoError(t, err)
			done = n
			if done >= lives {
				time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
				require.NoError(t, cmd.Process.Kill())
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // it was killed
	}
}

// childVariable has what a process is to write that the test starts of itself.
const childVariable = "HOOKARR_TEST_CATALOGUE"

// child is such a process.
type child struct {
	Place       place
	Address     string
	Seed        uint64
	Events      int
	From, Until int
}

func (c child) run() error {
	opened, err := kept{c.Place, c.Address}.open()
	if err != nil {
		return err
	}
	deliveries := model.Deliveries(model.NewWorld(c.Seed).Events(c.Events), c.Seed, 30)
	for i := c.From; i < c.Until; i++ {
		if err := opened.Keep(context.Background(), deliveries[i].ID, deliveries[i].Events); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(os.Stdout, i+1); err != nil {
			return err
		}
	}
	return opened.Close()
}
