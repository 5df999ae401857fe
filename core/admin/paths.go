package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/hookarr/hookarr/core/paths"
)

// Paths compares the folders of applications with the libraries of a target.
func (s *Service) Paths(ctx context.Context, target string) (paths.Report, error) {
	c := s.Settings.Config()
	if _, ok := c.Targets[target]; !ok {
		return paths.Report{}, unknownTarget(target, targetNames(c))
	}
	if s.Folders == nil {
		return paths.Report{}, errNoServer
	}
	examiner := paths.Examiner{Plugins: s.Folders}
	if s.Store != nil {
		examiner.Events = s.Store
	}
	report, err := examiner.Examine(ctx, target, c, s.Settings.Routes())
	switch {
	case errors.Is(err, paths.ErrNoFolders):
		return paths.Report{}, conflict("target %s has no paths to compare: %v", target, paths.ErrNoFolders)
	case err != nil && ctx.Err() == nil:
		return paths.Report{}, NewProblem(http.StatusBadGateway, err.Error())
	}
	return report, err
}
