/** Express 4 under the alias of the development dependency: what specs use of it has the types of Express 5. */
declare module 'express4' {
  import express = require('express');
  export = express;
}
