package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/fakearr"
)

// season is how many episodes each of the two seasons has.
const season = 12

// sonarr is an imitated Sonarr with its API.
type sonarr struct {
	*fakearr.Arr
	url   string
	close func() error
	// home has the disk that the files are on.
	home *services
}

func serveSonarr(ctx context.Context, home *services) (sonarr, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return sonarr{}, err
	}
	arr := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	s := &http.Server{Handler: arr, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }() // until Close
	return sonarr{Arr: arr, url: "http://" + l.Addr().String(), close: s.Close, home: home}, nil
}

// connect has Hookarr set Sonarr up.
func (s sonarr) connect(ctx context.Context, srv *server, out *log.Logger) error {
	said, err := srv.run(ctx, "connect", "sonarr")
	if err != nil {
		return err
	}
	out.Printf("\n$ hookarr connect sonarr\n%s", strings.TrimSpace(said))
	return nil
}

// outage lets Sonarr import a season, and another while the server is dead. The server runs
// until the context running ends.
func (s sonarr) outage(ctx, running context.Context, srv *server, book *tally) error {
	before, _, _ := book.sonarr()
	sent, err := s.importSeason(running, 1)
	if err != nil {
		return err
	}
	sent += before + 1 // the series, which no history has
	if err := await(running, waitTimeout, "complete", func(context.Context) bool { n, _, _ := book.sonarr(); return n >= sent }); err != nil {
		return err
	}
	srv.pullThePlug()
	missed, err := s.importSeason(ctx, 2)
	if err != nil {
		return err
	}
	if running, err = srv.start(ctx); err != nil {
		return fmt.Errorf("start server again: %w", err)
	}
	if err := await(running, waitTimeout, "complete", func(context.Context) bool { _, n, _ := book.sonarr(); return n >= missed }); err != nil {
		return err
	}
	webhooks, readBack, twice := book.sonarr()
	book.out.Printf("\nwebhooks of two seasons    %d, delivered %d", sent, webhooks)
	book.out.Printf("missed while killed        %d, read back from Sonarr's history and delivered %d", missed, readBack)
	book.out.Printf("delivered twice            %d", twice)
	if webhooks != sent || readBack != missed || twice > 0 {
		return errors.New("what was delivered is not what happened")
	}
	return nil
}

// importSeason grabs and imports a season of a new series and returns how many events
// that were, beside the addition of the series.
func (s sonarr) importSeason(ctx context.Context, number int) (int, error) {
	name := fmt.Sprintf("Series %d", number)
	t := fakearr.Title{Name: name, Year: 2024, TVDB: 1000 + number}
	for n := range season {
		t.Episodes = append(t.Episodes, fakearr.Episode{Season: 1, Number: n + 1, Title: fmt.Sprintf("Part %d", n+1), Aired: "2024-05-17"})
	}
	t, err := s.Add(ctx, t)
	if err != nil {
		return 0, err
	}
	d, err := s.Grab(ctx, t.ID, fakearr.Release{Name: name + ".S01.1080p-GRP", Indexer: "Indexer", Quality: "WEBDL-1080p", Group: "GRP", Size: 20 << 30})
	if err != nil {
		return 0, err
	}
	files, err := s.Import(ctx, d.ID)
	s.home.store(files)
	return 1 + len(files), err
}
