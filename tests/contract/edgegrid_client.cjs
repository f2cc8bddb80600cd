// Sends the requests of standard input (a JSON array of [method, path, headers, body]) one after the other, signed by
// npm's akamai-edgegrid, and prints [[status, body], ...]. Arguments: the .edgerc file and its section.
'use strict';
const EdgeGrid = require('akamai-edgegrid');

const [path, section] = process.argv.slice(2);
const requests = JSON.parse(require('fs').readFileSync(0, 'utf8'));

function send([method, path_, headers, body]) {
    return new Promise((resolve, reject) => {
        const client = new EdgeGrid({path, section});
        client.auth({method, path: path_, headers, body: body === null ? undefined : body}).send((error, answer) => {
            const heard = error ? error.response : answer;
            heard ? resolve([heard.status, heard.data]) : reject(error);
        });
    });
}

(async () => {
    const answers = [];
    for (const request of requests) {
        answers.push(await send(request));
    }
    console.log(JSON.stringify(answers));
})();
