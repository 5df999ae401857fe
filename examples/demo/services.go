package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/internal/fakeserver/plex"
)

// services is an imitated Plex, Jellyfin and Discord. The media servers see Sonarr's /tv as
// /media/tv.
type services struct {
	disk     *fakeserver.Disk
	plex     *plex.Server
	jellyfin *jellyfin.Server
	discord  *endpoint.Discord

	plexURL, jellyfinURL, discordURL string
	plexToken, jellyfinKey           string
	servers                          []*http.Server
}

func serveServices(ctx context.Context) (*services, error) {
	h := &services{disk: &fakeserver.Disk{}, discord: &endpoint.Discord{}, plexToken: rand.Text(), jellyfinKey: rand.Text()}
	h.disk.Mkdir("/media/tv")
	h.plex = &plex.Server{Disk: h.disk, Token: h.plexToken, Delay: 200 * time.Millisecond, Takes: 500 * time.Millisecond}
	h.plex.AddSection(plex.Shows, "TV Shows", "/media/tv")
	h.jellyfin = jellyfin.New(jellyfin.Settings{ //nolint:contextcheck // it works until Close
		Key: h.jellyfinKey, Disk: h.disk,
		Libraries: []jellyfin.Library{{Name: "Shows", Kind: jellyfin.Shows, Locations: []string{"/media/tv"}}},
	})
	var err error
	for handler, url := range map[http.Handler]*string{h.plex: &h.plexURL, h.jellyfin: &h.jellyfinURL, h.discord: &h.discordURL} {
		if *url, err = h.serve(ctx, handler); err != nil {
			return nil, errors.Join(err, h.close())
		}
	}
	h.discordURL = h.discord.URL(h.discordURL)
	return h, nil
}

func (h *services) serve(ctx context.Context, handler http.Handler) (string, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	h.servers = append(h.servers, s)
	go func() { _ = s.Serve(l) }() // until Close
	return "http://" + l.Addr().String(), nil
}

func (h *services) close() error {
	errs := make([]error, 0, len(h.servers))
	for _, s := range h.servers {
		errs = append(errs, s.Close())
	}
	h.plex.Close()
	h.jellyfin.Close()
	return errors.Join(errs...)
}

// store puts files on the disk, as an import does.
func (h *services) store(files []fakearr.File) {
	for _, f := range files {
		h.disk.Add(path.Join("/media", f.Path), f.Size)
	}
}

// show has Sonarr import a season and prints what the one message about it says, until both
// media servers have every episode.
func (h *services) show(ctx context.Context, s sonarr, out *log.Logger) error {
	out.Print("\nSonarr imports a season; one message in Discord says how it stands:")
	if _, err := s.importSeason(ctx, 3); err != nil {
		return err
	}
	said := ""
	err := await(ctx, waitTimeout, "shown by Plex and Jellyfin", func(context.Context) bool {
		headline, title := h.message()
		if headline != said {
			said = headline
			out.Printf("  %-45s %s", headline, title)
		}
		return strings.Contains(said, "Plex") && strings.Contains(said, "Jellyfin")
	})
	if err != nil {
		return err
	}
	out.Printf("scans for %d files         %d of Plex, %d of Jellyfin", season, len(h.plex.Scans()), len(h.jellyfin.Refreshes()))
	if n := len(h.discord.Messages()); n != 1 {
		return fmt.Errorf("%d messages tell of one season", n)
	}
	return nil
}

// message is the headline and the title of the newest message.
func (h *services) message() (headline, title string) {
	all := h.discord.Messages()
	if len(all) == 0 || len(all[len(all)-1].Embeds) == 0 {
		return "", ""
	}
	e := all[len(all)-1].Embeds[0]
	if e.Author == nil || e.Title == nil {
		return "", ""
	}
	return e.Author.Name, *e.Title
}
