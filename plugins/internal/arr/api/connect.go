package api

import (
	"context"
	"errors"

	"github.com/hookarr/hookarr/sdk"
)

// Connect implements sdk.Connector.
func (p *Powers) Connect(context.Context, sdk.ConnectRequest) (sdk.ConnectResult, error) {
	return sdk.ConnectResult{}, errors.ErrUnsupported
}
