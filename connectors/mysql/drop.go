package mysql

import (
	"context"
	"fmt"
)

// Drop takes away what Open made on the server: nothing, for a reader of the binary log leaves nothing there. It says so, after a look
// whether an instance is still reading, which would go on.
func Drop(ctx context.Context, config Config) ([]string, error) {
	config, err := config.checked()
	if err != nil {
		return nil, err
	}
	conn, err := config.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("drop %s source %s: %w", config.Flavor, config.SourceID, err)
	}
	defer conn.close()
	if err := lock(ctx, conn, config.SourceID); err != nil {
		return nil, fmt.Errorf("drop %s source %s: %w", config.Flavor, config.SourceID, err)
	}
	return []string{
		"nothing of this source is on the server: the binary log is kept and removed by the server's own rules",
		fmt.Sprintf("account %s stays, with its grants: DROP USER, if nothing else uses it", config.User),
	}, nil
}
