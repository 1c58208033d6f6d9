package mysql

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"
)

// MariaDB writes XA COMMIT to its log before the engine commits, and a consistent snapshot may be taken between the two: it stands behind XA COMMIT
// in the log and doesn't see the rows (decisions.md). Until the engine has committed, XA RECOVER lists the transaction.

// phases are the last XA transactions that the stream has brought to their end. The zero phases is ready; any goroutine may use it.
type phases struct {
	mu    sync.Mutex
	byTxn map[string]string // transaction, as the stream names it, to xid
	order []string          // of the transactions
}

// mostPhases is how many are remembered: far more than can be committed while one commit is on its way from the log to the engine.
const mostPhases = 1 << 14

// ended notes the XA COMMIT that brought a transaction's rows.
func (p *phases) ended(txn, xid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byTxn == nil {
		p.byTxn = map[string]string{}
	}
	p.byTxn[txn] = xid
	if p.order = append(p.order, txn); len(p.order) > mostPhases {
		delete(p.byTxn, p.order[0])
		p.order = p.order[1:]
	}
}

// waits says, of no phases too, that a transaction was brought to its end by an XA COMMIT that is among those that wait.
func (p *phases) waits(txn string, waiting map[string]bool) bool {
	if p == nil || len(waiting) == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	xid, ok := p.byTxn[txn]
	return ok && waiting[xid]
}

// anyWaits says that of any of them.
func (p *phases) anyWaits(waiting map[string]bool) bool {
	if p == nil || len(waiting) == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, xid := range p.byTxn {
		if waiting[xid] {
			return true
		}
	}
	return false
}

// recoverable lists the XA transactions of a server that are prepared, or whose second phase isn't over.
func recoverable(ctx context.Context, conn *session) (map[string]bool, error) {
	rows, err := conn.all(ctx, "xa recover")
	if err != nil {
		return nil, fmt.Errorf("list the prepared transactions: %w", err)
	}
	list := map[string]bool{}
	for _, row := range rows {
		format, err1 := strconv.ParseInt(row[0], 10, 64)
		first, err2 := strconv.Atoi(row[1])
		second, err3 := strconv.Atoi(row[2])
		if err1 != nil || err2 != nil || err3 != nil || first < 0 || second < 0 || first+second > len(row[3]) {
			return nil, fmt.Errorf("list the prepared transactions: %q: %w", row, errProtocol)
		}
		list[xidText([]byte(row[3][:first]), []byte(row[3][first:first+second]), int32(format))] = true
	}
	return list, nil
}

// xaActivity is whether a server has XA transactions in their second phase, or might have.
type xaActivity struct {
	quiet   bool   // none is prepared
	commits string // how many XA COMMIT have begun
}

// readPhases asks for it. What began its second phase in front of the count and isn't over is still in the list.
func readPhases(ctx context.Context, conn *session) (xaActivity, error) {
	row, err := conn.one(ctx, "show global status like 'Com_xa_commit'")
	if err != nil {
		return xaActivity{}, fmt.Errorf("count the commits of prepared transactions: %w", err)
	}
	waiting, err := recoverable(ctx, conn)
	return xaActivity{quiet: len(waiting) == 0, commits: row[1]}, err
}

// xidText writes an xid as the log's statements do, read by lexer.xa.
func xidText(first, second []byte, format int32) string {
	return fmt.Sprintf("x%x,x%x,%d", first, second, format)
}

// preparedXID reads the xid of an XA PREPARE event's body.
func preparedXID(body []byte) (string, bool) {
	const head = 1 + 4 + 4 + 4
	if len(body) < head {
		return "", false
	}
	first, second := int(binary.LittleEndian.Uint32(body[5:])), int(binary.LittleEndian.Uint32(body[9:]))
	if first > 64 || second > 64 || len(body) < head+first+second {
		return "", false
	}
	return xidText(body[head:head+first], body[head+first:head+first+second], int32(binary.LittleEndian.Uint32(body[1:]))), true
}
